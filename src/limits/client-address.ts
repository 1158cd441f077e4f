import { isIPv6 } from 'node:net';

const MAPPED_V4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * Under which name a client is counted: its IPv4 address, or the /64 of its IPv6 address, since whoever
 * has one address of those has them all.
 */
export function clientAddress(address: string | undefined): string {
  // Most are IPv4, for which the long pattern of IPv6 need not be tried.
  if (!address?.includes(':')) return address ?? 'unknown';
  if (!isIPv6(address)) return withoutPort(address);
  const mapped = MAPPED_V4.exec(address)?.[1];
  return mapped ?? `${networkOf(address)}::/64`;
}

// As some proxies tell of their clients: 192.0.2.7:50123, [2001:db8::6]:50123. With its port, each connection would count
// for itself.
const WITH_PORT = /^(?:(\d+\.\d+\.\d+\.\d+):\d+|\[([^[\]]+)\](?::\d+)?)$/;

function withoutPort(address: string): string {
  const [, v4, v6] = WITH_PORT.exec(address) ?? [];
  return v6 === undefined ? (v4 ?? address) : clientAddress(v6);
}

function networkOf(address: string): string {
  const [head = '', tail] = address.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail ? tail.split(':') : [];
  const between = tail === undefined ? [] : Array(8 - first.length - last.length).fill('0');
  return [...first, ...between, ...last]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
