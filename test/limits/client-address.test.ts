import { expect, test } from 'vitest';
import { clientAddress } from '../../src/limits/client-address.ts';

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::FFFF:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::6', '2001:db8:1:2::/64'],
  ['2001:db8::6', '2001:db8:0:0::/64'],
  ['2001:db8:1:2::', '2001:db8:1:2::/64'],
  ['2001:db8:1::4:5:6:7', '2001:db8:1:0::/64'],
  ['fd00::5:a:b:c:d', 'fd00:0:0:5::/64'],
  ['fd00:0:0:5::d', 'fd00:0:0:5::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['192.0.2.7:50123', '192.0.2.7'],
  ['[2001:db8:1:2::6]:50123', '2001:db8:1:2::/64'],
  ['[2001:db8:1:2::6]', '2001:db8:1:2::/64'],
  ['[::ffff:192.0.2.7]:50123', '192.0.2.7'],
  ['[no address]:1', 'no address'],
  ['no:address:1', 'no:address:1'],
  ['no address at all', 'no address at all'],
  [undefined, 'unknown'],
])('%s is counted as %s', (address, name) => {
  expect(clientAddress(address)).toBe(name);
});
