import { HttpRefusal } from './http-refusal.ts';

/** What a parameter may be: the part of JSON schema that the routes' queries are described in. */
type Parameter =
  | { readonly type: 'string'; readonly enum?: readonly string[]; readonly default?: string }
  | {
      readonly type: 'integer';
      readonly minimum: number;
      readonly maximum: number;
      readonly default: number;
    };

/** The schema of a whole query. Other parameters are left as they are. */
export interface QuerySchema {
  readonly properties: Readonly<Record<string, Parameter>>;
}

type Read = { readonly value: Record<string, unknown> } | { readonly error: HttpRefusal };

/**
 * What Fastify calls for every query of a route: answers its parameters by their types, with defaults, or the refusal.
 * A library for all of JSON schema would take a quarter of a start to load.
 */
export function queryReader({ properties }: QuerySchema): (query: Record<string, unknown>) => Read {
  const parameters = Object.entries(properties);
  return (query) => {
    const value = { ...query };
    for (const [name, parameter] of parameters) {
      const given = query[name];
      if (given === undefined) {
        if (parameter.default !== undefined) value[name] = parameter.default;
        continue;
      }
      const read = parameter.type === 'integer' ? integerFrom(given) : given;
      const mistake = mistakeIn(read, parameter);
      if (mistake !== undefined) return { error: new HttpRefusal(400, `The parameter ${name} ${mistake}.`) };
      value[name] = read;
    }
    return { value };
  };
}

// A parameter that is given twice is a list, and no number. JavaScript would take 0x10 for one, and a space for 0.
function integerFrom(given: unknown): number {
  return typeof given === 'string' && /^[-+.\de]+$/i.test(given) ? Number(given) : Number.NaN;
}

function mistakeIn(value: unknown, parameter: Parameter): string | undefined {
  if (parameter.type === 'integer') {
    if (!Number.isInteger(value)) return 'must be an integer';
    if (Number(value) < parameter.minimum) return `must be >= ${parameter.minimum}`;
    return Number(value) > parameter.maximum ? `must be <= ${parameter.maximum}` : undefined;
  }
  if (typeof value !== 'string') return 'must be given once';
  const { enum: allowed } = parameter;
  return allowed && !allowed.includes(value) ? `must be ${allowed.join(' or ')}` : undefined;
}
