import { alone, type Draft, exchange, raw } from './exchange.ts';

const LONG = 'x'.repeat(246);

function keys(count: number): string {
  return Array.from({ length: count }, (_, i) => `@-${i}`).join(' ');
}

function sets(count: number): string[] {
  return Array.from({ length: count }, (_, i) => [
    `set @-${i} ${i} 0 3 noreply`,
    String(i).padStart(3, '0'),
  ]).flat();
}

export const retrieval: readonly Draft[] = [
  exchange('get of nothing', ['get @']),
  exchange('gets of nothing', ['gets @']),
  exchange('get without a key', ['get', 'gets', 'get ', 'gat', 'gats', 'bget']),
  exchange('the ancient bget', ['set @ 0 0 1', 'a', 'bget @']),
  exchange('get of several', ['set @a 1 0 1', 'a', 'set @c 3 0 1', 'c', 'get @a @b @c', 'gets @a @b @c']),
  exchange('get of one key twice', ['set @ 1 0 1', 'a', 'get @ @', 'gets @ @ @']),
  ...[21, 22, 23, 24, 25, 45, 46, 47].map((count) =>
    exchange(`get of ${count} keys`, [...sets(count), `get ${keys(count)}`, `gets ${keys(count)}`]),
  ),
  exchange('get of 22 keys and spaces', [...sets(22), `get ${keys(22)}   `]),
  exchange('get of 23 keys and spaces', [...sets(23), `get ${keys(23)}   `]),
  exchange('get of 300 keys', [...sets(300), `get ${keys(300)}`]),
  exchange('gets of 300 keys, half of them missing', [...sets(150), `gets ${keys(300)}`]),
  exchange('a get of 20 kB', [
    `get ${Array.from({ length: 80 }, (_, i) => `@${LONG.slice(3)}${100 + i}`).join(' ')}`,
    'mn',
  ]),
  alone(exchange('a get of a key of 251 bytes', [`get @${LONG}x`], [`gets @${LONG}x`], [`gat 0 @${LONG}x`])),
  exchange('a get of a key of 250 bytes', [`get @${LONG}`]),
  alone(exchange('a key of 251 bytes among others', ['set @ 0 0 1', 'a'], [`get @ @${LONG}x @`])),
  alone(exchange('a key of 251 bytes after many', ['set @ 0 0 1', 'a'], [`get ${'@ '.repeat(30)}@${LONG}x`])),
  exchange('gat', ['set @ 3 0 1', 'a', 'gat 100 @', 'mg @ t', 'gats 0 @', 'mg @ t']),
  exchange('gat of several', [
    'set @a 1 0 1',
    'a',
    'set @b 2 0 1',
    'b',
    'gat 100 @a @x @b',
    'mg @a t',
    'mg @b t',
  ]),
  exchange('gat of nothing', ['gat 100 @', 'gats 100 @']),
  exchange('gat that expires at once', ['set @ 0 0 1', 'a', 'gat -1 @', 'get @']),
  exchange('gat without a number', ['gat @', 'gat x @', 'gats @ @']),
  exchange('gat with a number but no key', ['gat 0', 'gat 100', 'gats 5']),
  exchange('gat of 30 keys', [...sets(30), `gat 100 ${keys(30)}`]),
  exchange('gat with a number that is too large', ['gat 2147483648 @', 'gat 99999999999999999999 @']),
  exchange('gat counts as a fetch', ['set @ 0 0 1', 'a', 'gat 100 @', 'mg @ h']),
  exchange('get counts as a fetch', ['set @ 0 0 1', 'a', 'get @', 'mg @ h']),
  exchange('commands that begin like get', ['getx @', 'geta', 'g @', 'gett @ @', 'getq @']),
  raw('a bare newline ends a line', 'set @ 0 0 1\na\r\nget @\nmn\n'),
  raw('two returns before the newline', 'set @ 0 0 1\r\na\r\nget @\r\r\nget @\r\n'),
  raw('a return within a line', 'get @\rx\r\n'),
  raw('a NUL within a line', 'set @ 0 0 1\r\na\r\nget @\0 k2\r\nget\0 @\r\n\0get @\r\n'),
  raw('a NUL within a key', 'set @\0b 0 0 1\r\nmn\r\n'),
  raw('tabs are no spaces', 'get\t@\r\nset\t@ 0 0 1\r\nget @\t@\r\n'),
  raw('empty lines', '\r\n\n \r\n  \n\r\n'),
];
