import { count, flags, type NamedSchema, object, text } from '../schemas.ts';

// What the OpenAPI document tells of dumps, whose lines src/dump reads and writes.

/** Whether what a dump has may replace what is there. */
export const loadQuery = {
  type: 'object',
  properties: {
    mode: {
      default: 'set',
      description:
        'What becomes of items that are there already: set replaces them, add leaves them as they are',
      examples: ['set'],
      type: 'string',
      enum: ['set', 'add'],
    },
  },
} as const;
export interface LoadQuery {
  readonly mode: 'set' | 'add';
}

const itemLine: NamedSchema = {
  $id: 'ItemLine',
  type: 'object',
  properties: {
    key: { description: 'The key, where it is UTF-8', type: 'string' },
    key_base64: { description: 'The key, where it is not', type: 'string', format: 'byte' },
    kind: {
      default: 'text',
      description:
        'What the value is by REST: a string, a number, other JSON; bytes is what a memcached client stored',
      type: 'string',
      enum: ['text', 'number', 'json', 'bytes'],
    },
    value: {
      description:
        'The value as text, whatever its kind, where it is UTF-8: the digits of a number, the text of JSON',
      type: 'string',
    },
    value_base64: { description: 'The value, where it is not', type: 'string', format: 'byte' },
    flags: { default: 0, ...flags },
    expires: {
      format: 'date-time',
      description: 'When the item expires (RFC 3339); absent: never. One that has expired is passed over',
      type: 'string',
    },
    stale: { default: false, description: 'Out of date, by a meta delete of memcached', type: 'boolean' },
  },
  examples: [{ key: 'user:42', kind: 'text', value: 'Hello' }],
};

export const dumpText: NamedSchema = {
  $id: 'Dump',
  type: 'string',
  description:
    'A JSON object a line, in UTF-8: the first has the format and its version, then comes one for each item ' +
    '(see ItemLine), and the last has their number. Without that, the dump was cut off.',
  examples: [
    '{"format":"ironcached items","version":1,"project":"4e71843298b1db3f0d0000ab","cache":"sessions","at":"2030-01-15T12:00:00.000Z"}\n' +
      '{"key":"user:42","kind":"text","value":"Hello","expires":"2030-01-15T13:00:00.000Z"}\n' +
      '{"key":"visits","kind":"number","value":"9007199254740993"}\n' +
      '{"end":true,"items":2}\n',
  ],
};

export const loadReport: NamedSchema = {
  $id: 'LoadReport',
  ...object({
    msg: { ...text, const: 'Loaded.' },
    loaded: { ...count, description: 'How many items were stored' },
    expired: { ...count, description: 'How many had expired' },
    kept: { ...count, description: 'How many were there already, and stayed as they are (mode add)' },
    refused: {
      type: 'array',
      items: object({
        msg: { ...text, description: 'Why' },
        items: { ...count, minimum: 1, description: 'How many' },
        line: { ...count, minimum: 1, description: 'The line of the first of them' },
      }),
      description: 'What does not fit the limits of this service',
    },
  }),
  examples: [
    {
      msg: 'Loaded.',
      loaded: 2,
      expired: 1,
      kept: 0,
      refused: [{ msg: 'a value may have at most 1048576 bytes', items: 1, line: 4 }],
    },
  ],
};

/** In the order of the document. */
export const dumpSchemas: readonly NamedSchema[] = [itemLine, dumpText, loadReport];
