import type { Answer, ErrorStatus, Operation } from '../operation.ts';
import { type JsonSchema, message, reference } from '../schemas.ts';

/** A named schema with its examples; undefined: there is none. */
type FindSchema = (name: string) => JsonSchema | undefined;

/** The operation as the OpenAPI document has it. `find` gives the schemas that it names. */
export function describe(about: Operation, find: FindSchema): JsonSchema {
  return {
    operationId: about.id,
    tags: [about.tag],
    summary: about.summary,
    ...(about.description && { description: about.description }),
    ...(about.path && { params: about.path }),
    ...(about.query && { querystring: about.query }),
    ...(about.bodyType && { consumes: [about.bodyType] }),
    ...(about.open && { security: [] }),
    response: { 200: successSchema(about.answer, find), ...errorSchemas(about) },
    ...(about.body && { body: reference(about.body) }),
  };
}

function successSchema({ description, schema, examples, raw, type }: Answer, find: FindSchema): JsonSchema {
  const json = {
    schema: reference(schema),
    ...(examples
      ? { examples: Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }])) }
      : { example: exampleOf(find(schema.$id)) }),
  };
  const binary = { schema: { type: 'string', format: 'binary', description: 'The bytes of the value' } };
  return {
    description,
    ...(raw && { headers: rawHeaders }),
    content: { [type ?? 'application/json']: json, ...(raw && { 'application/octet-stream': binary }) },
  };
}

const rawHeaders = {
  'X-IronCache-Encoding': { type: 'string', description: '`base64` where the value is bytes in base64' },
  ETag: { type: 'string', description: 'The version of the item, where the answer is its bytes' },
};

function exampleOf(schema: JsonSchema = {}): unknown {
  const { examples } = schema as { examples?: readonly unknown[] };
  return examples?.[0];
}

function errorSchemas(about: Operation): Record<string, JsonSchema> {
  const { usualErrors = about.open ? [] : errorsOfProjects } = about;
  const shared = [...usualErrors, ...errorsOfAll];
  const own = Object.keys(about.errors ?? {}).map(Number) as ErrorStatus[];
  const statuses = [...new Set([...shared, ...own])].sort();
  return Object.fromEntries(
    statuses.map((status) => {
      const [description, usual] = errorAnswers[status];
      const value = { msg: about.errors?.[status] ?? usual };
      const json = { schema: reference(message), example: value };
      return [String(status), { description, ...headersOf(status), content: { 'application/json': json } }];
    }),
  );
}

/** What each status means, and a message as an example. */
const errorAnswers: Readonly<Record<ErrorStatus, readonly [description: string, example: string]>> = {
  400: [
    'The request is not valid',
    'The body is not valid JSON. Send a JSON object, like {"value": "text"}.',
  ],
  401: [
    'No token, or an unknown one',
    'A token is needed. Send it as the header "Authorization: OAuth TOKEN".',
  ],
  403: [
    'The token has no right to this project, or a limit is exceeded',
    'This token has no right to this project.',
  ],
  404: [
    'There is no such project or endpoint',
    "The resource, project, or endpoint being requested doesn't exist.",
  ],
  405: ['The path is known, the verb is wrong; see Allow', 'This endpoint allows GET, HEAD.'],
  406: [
    'A required member is missing',
    'The member "value" is missing. Send a JSON object, like {"value": "text"}.',
  ],
  408: ['The request took too long to arrive', 'The request took too long to arrive. Send it again.'],
  409: ['There is one already', 'There is a project of this id already. Choose another id.'],
  413: ['The body is too large', 'The body may have at most 1048576 bytes. Send a smaller one.'],
  429: [
    'Too many requests, or too many failed sign-ins; try again after Retry-After seconds',
    'This token may make 100 requests per second. Wait, then try again.',
  ],
  431: [
    'The URL and headers are too long',
    'The URL and headers are too long together. Send fewer or shorter ones.',
  ],
  500: ['A fault of the service', 'Internal error. It was logged; try again later.'],
  503: [
    'Overloaded or shutting down; try again after Retry-After seconds',
    'The service is shutting down; try again later.',
  ],
};

const errorsOfAll: readonly ErrorStatus[] = [405, 408, 429, 431, 500, 503];
const errorsOfProjects: readonly ErrorStatus[] = [400, 401, 403, 404];

function headersOf(status: ErrorStatus): { headers?: JsonSchema } {
  if (status === 405)
    return { headers: { Allow: { type: 'string', description: 'The verbs that are possible' } } };
  if (status === 429 || status === 503) {
    return {
      headers: { 'Retry-After': { type: 'integer', description: 'Seconds to wait before the next try' } },
    };
  }
  return {};
}
