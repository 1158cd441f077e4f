import { expect, test } from 'vitest';
import { ServerControl } from '../../../src/cli/server-control.ts';
import { ProjectTokens } from '../../../src/cli/transfer/project-tokens.ts';
import { startControlled } from '../../support/control.ts';

// So a dump does whose output fails, or that is interrupted, before it has begun.
test.each([true, false])(
  'what ends while a token is being made leaves none, nor is one made afterwards (for all projects: %s)',
  async (isForAll) => {
    const service = await startControlled();
    const project = await service.project();
    const control = new ServerControl(new URL(`http://127.0.0.1:${service.httpPort}`), service.adminToken);
    const tokens = new ProjectTokens({
      given: undefined,
      iron: undefined,
      control: async () => control,
      permission: 'read',
      isForAll,
      name: 'a dump',
    });
    const before = await control.tokens();
    const asked = tokens.tokenFor(project);
    await tokens.end();
    await asked;
    await expect(tokens.tokenFor(project)).rejects.toThrow();
    expect(await control.tokens()).toEqual(before);
  },
);
