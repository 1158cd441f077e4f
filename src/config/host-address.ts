import { BlockList, isIP } from 'node:net';

const privateNetworks = new BlockList();
for (const [network, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
] as const) {
  privateNetworks.addSubnet(network, prefix, 'ipv4');
}
privateNetworks.addAddress('::1', 'ipv6');
privateNetworks.addSubnet('fc00::', 7, 'ipv6');
privateNetworks.addSubnet('fe80::', 10, 'ipv6');

/** Is this an address that the internet cannot reach: of this machine or of a private network? */
export function isPrivateAddress(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host === 'localhost';
  return privateNetworks.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/** A host as it stands in a URL, where an IPv6 address has brackets. */
export function hostInUrl(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

/** The host to connect to where a server listens on `host`: everywhere is no address to connect to. */
export function reachableHost(host: string): string {
  return host === '0.0.0.0' || host === '::' ? 'localhost' : host;
}

/** The same as it stands in a URL. */
export function reachableInUrl(host: string): string {
  return hostInUrl(reachableHost(host));
}
