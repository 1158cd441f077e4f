import { expect, test } from 'vitest';
import { claimFrom } from '../../src/memcached/client-certificate.ts';

const PROJECT = '4e71843298b1db3f0d0000aa';

test.each([
  [`URI:ironcached://${PROJECT}/c`, 'c'],
  [
    `DNS:shop.test, URI:https://shop.test/, URI:ironcached://${PROJECT}/a%20cache%2Fof%20mine`,
    'a cache/of mine',
  ],
  [`URI:ironcached://${PROJECT}/first, URI:ironcached://${PROJECT}/second`, 'first'],
  [`URI:ironcached://${PROJECT}/gr%C3%BCn`, 'grün'],
])('%s is for a cache', (names, cacheName) => {
  expect(claimFrom(names)).toEqual({ projectId: PROJECT, cacheName });
});

test.each([
  '',
  `ironcached://${PROJECT}/c`,
  `DNS:ironcached://${PROJECT}/c`,
  `URI:ironcached://${PROJECT}/`,
  `URI:ironcached://${PROJECT}/c/d`,
  `URI:ironcached://${PROJECT}/%zz`,
  `URI:ironcached://${PROJECT.toUpperCase()}/c`,
  // What Node makes of a name that someone put a comma into, to have it read as two.
  `DNS:"shop.test, URI:ironcached://${PROJECT}/c"`,
  `URI:"ironcached://${PROJECT}/c, d"`,
])('%j is for none', (names) => {
  expect(claimFrom(names)).toBeUndefined();
});
