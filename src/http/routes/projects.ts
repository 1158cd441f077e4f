import type { FastifyInstance } from 'fastify';
import type { Accounts } from '../../auth/accounts.ts';
import { changeProject, createProject, deleteProject } from '../../auth/credential-changes.ts';
import { projectJson } from '../../auth/credentials-json.ts';
import { AdminScope, administeredProject, asAdmin } from '../control/administer.ts';
import { readNewProject, readProjectChange } from '../control/control-requests.ts';
import {
  type ListQuery,
  listQuery,
  newProject,
  projectAnswer,
  projectChange,
  projectList,
} from '../control/control-schemas.ts';
import { pageBehind } from '../control/list-page.ts';
import { DELETED, sendJson } from '../json-answer.ts';
import { operation } from '../operation.ts';
import { message, type ProjectPath, projectPath } from '../schemas.ts';

const bodyErrors = { 406: 'The member "name" is missing. Send a JSON object with it.', 413: undefined };

export interface ControlParts {
  readonly accounts: Accounts;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

const requireAll = (scope: AdminScope) => scope.requireAll();

export async function projectRoutes(app: FastifyInstance, { accounts, now }: ControlParts): Promise<void> {
  app.get<{ Querystring: ListQuery }>(
    '/projects',
    operation({
      id: 'listProjects',
      tag: 'projects',
      summary: 'List the projects that the token may administer, by id',
      query: listQuery,
      answer: { description: 'A part of the list', schema: projectList },
    }),
    (request, reply) => {
      const scope = new AdminScope(request);
      const projects = accounts.credentials.projects.filter(({ id }) => scope.hasProject(id));
      sendJson(reply, JSON.stringify({ projects: pageBehind(projects, request.query).map(projectJson) }));
    },
  );

  app.post(
    '/projects',
    operation({
      id: 'createProject',
      tag: 'projects',
      summary: 'Make a project',
      body: newProject,
      answer: { description: 'The project', schema: projectAnswer },
      errors: { ...bodyErrors, 409: 'There is a project of this id already. Choose another id.' },
    }),
    async (request, reply) => {
      new AdminScope(request).requireAll();
      const asked = await readNewProject(request.raw);
      const project = await accounts.change(asAdmin(request, requireAll, createProject(asked, now())));
      sendJson(reply, JSON.stringify(projectJson(project)));
      return reply;
    },
  );

  app.get<{ Params: ProjectPath }>(
    '/projects/:project',
    operation({
      id: 'getProject',
      tag: 'projects',
      summary: 'Tell about a project',
      path: projectPath,
      answer: { description: 'The project', schema: projectAnswer },
    }),
    (request, reply) => sendJson(reply, JSON.stringify(projectJson(administeredProject(request, accounts)))),
  );

  app.patch<{ Params: ProjectPath }>(
    '/projects/:project',
    operation({
      id: 'changeProject',
      tag: 'projects',
      summary: 'Suspend or resume a project, change its quotas or its name',
      description: 'What is not given stays. Open memcached connections feel it at their next command.',
      path: projectPath,
      body: projectChange,
      answer: { description: 'The project as it is now', schema: projectAnswer },
      errors: { 413: undefined },
    }),
    async (request, reply) => {
      const { id } = administeredProject(request, accounts);
      new AdminScope(request).requireAll();
      const change = await readProjectChange(request.raw);
      const project = await accounts.change(asAdmin(request, requireAll, changeProject(id, change)));
      sendJson(reply, JSON.stringify(projectJson(project)));
      return reply;
    },
  );

  app.delete<{ Params: ProjectPath }>(
    '/projects/:project',
    operation({
      id: 'deleteProject',
      tag: 'projects',
      summary: 'Delete a project, its caches, and the tokens that were for no other',
      path: projectPath,
      answer: { description: 'It is gone', schema: message, examples: { deleted: { msg: 'Deleted.' } } },
    }),
    async (request, reply) => {
      const { id } = administeredProject(request, accounts);
      new AdminScope(request).requireAll();
      await accounts.change(asAdmin(request, requireAll, deleteProject(id)));
      sendJson(reply, DELETED);
      return reply;
    },
  );
}
