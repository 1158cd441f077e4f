import { expect, test } from 'vitest';
import { Secrets } from '../../src/process/secrets.ts';

const secrets = new Secrets();
secrets.add('s3cret-token');
secrets.add('with"quote\\and-more');

test.each([
  ['a line with s3cret-token twice: s3cret-token', 'a line with *** twice: ***'],
  [JSON.stringify({ msg: 'with"quote\\and-more' }), JSON.stringify({ msg: '***' })],
  ['with"quote\\and-more', '***'],
  ['GET /1/x?oauth=unknown-token&page=1', 'GET /1/x?oauth=***&page=1'],
  ['{"authorization":"OAuth unknown-token"}', '{"authorization":"OAuth ***"}'],
  ['{"authorization":"bearer unknown-token","a":1}', '{"authorization":"bearer ***","a":1}'],
  ['nothing to hide, not even an author', 'nothing to hide, not even an author'],
])('%s', (text, hidden) => {
  expect(secrets.hide(text)).toBe(hidden);
});
