import { z } from 'zod';
import {
  idSchema,
  nameSchema,
  permissionsSchema,
  projectsSchema,
  quotasSchema,
  statusSchema,
  TOKEN_SECONDS_MAX,
  timeSchema,
  tokenTextSchema,
} from '../../auth/credential-members.ts';

/*
 * What the control plane is sent, checked by zod. Loaded when the first such body comes, or the OpenAPI
 * document is written: zod is a tenth of a start.
 */

const EXAMPLE_ID = '4e71843298b1db3f0d0000ab';

const projectId = idSchema.meta({ description: 'The project id', examples: [EXAMPLE_ID] });
const name = nameSchema.meta({ description: 'A name for people; several may have the same' });
const status = statusSchema.meta({ description: 'A suspended project is kept, and refused to everyone' });
const quotas = quotasSchema.meta({ description: 'What the project may take at most; null is no limit' });

export const newProject = z
  .strictObject({
    name,
    id: projectId.optional().meta({ description: 'For a project that comes from elsewhere; else random' }),
    status: status.optional(),
    quotas: quotas.optional(),
  })
  .meta({ id: 'NewProject', examples: [{ name: 'web', quotas: { bytes: 104_857_600 } }] });

export const projectChange = z
  .strictObject({ name: name.optional(), status: status.optional(), quotas: quotas.optional() })
  .meta({ id: 'ProjectChange', examples: [{ status: 'suspended' }] });

const lifeText = `must be a whole number of seconds from 1 to ${TOKEN_SECONDS_MAX} (ten years)`;

export const newToken = z
  .strictObject({
    name,
    projects: projectsSchema.meta({ description: 'The ids of its projects, or `*` for all' }),
    permissions: permissionsSchema
      .optional()
      .meta({ description: 'What it may do; `read` and `write` unless said otherwise' }),
    admin: z
      .boolean({ error: 'must be true or false' })
      .optional()
      .meta({ description: 'Adds the permission `admin`' }),
    expires_in: z
      .int({ error: lifeText })
      .min(1, { error: lifeText })
      .max(TOKEN_SECONDS_MAX, { error: lifeText })
      .nullish()
      .meta({ description: 'Seconds that it lives; for ever unless said otherwise' }),
    expires_at: timeSchema
      .nullish()
      .meta({ description: 'When it expires (RFC 3339), instead of expires_in' }),
    token: tokenTextSchema
      .optional()
      .meta({ description: 'The text of a token that comes from elsewhere; else random' }),
  })
  .meta({ id: 'NewToken', examples: [{ name: 'web', projects: [EXAMPLE_ID], expires_in: 7_776_000 }] });
