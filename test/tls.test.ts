import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { PROJECT, startService, type TestService, TOKEN, temporaryDirectory } from './support/service.ts';
import { signIn, type TextClient, textClient } from './support/text-client.ts';

// Handshakes are made, and files looked at, on machines that do other things, too.
vi.setConfig({ testTimeout: 20_000 });

const certificates = fileURLToPath(new URL('support/certificates', import.meta.url));

function install(which: 'first' | 'second', directory: string): string[] {
  copyFileSync(join(certificates, `${which}-cert.pem`), join(directory, 'cert.pem'));
  copyFileSync(join(certificates, `${which}-key.pem`), join(directory, 'key.pem'));
  return flagsFor(directory);
}

function flagsFor(directory: string): string[] {
  return ['--tls-cert', join(directory, 'cert.pem'), '--tls-key', join(directory, 'key.pem')];
}

/** Another process writes a file into a pipe as soon as somebody reads it. */
function writeInto(pipe: string, path: string): void {
  const writer = spawn('sh', ['-c', 'exec cat "$0" > "$1"', path, pipe]);
  onTestFinished(() => void writer.kill());
}

/** The service with TLS at both doors. */
function startByTls(flags: readonly string[]): Promise<TestService> {
  return startService([...flags, '--memcached-tls-port', '0']);
}

function connect(service: TestService, tls: true | ConnectionOptions = true): Promise<TextClient> {
  return textClient(service.memcachedTlsPort ?? 0, { tls });
}

function certificateName(client: TextClient): unknown {
  return (client.socket as TLSSocket).getPeerCertificate().subject.CN;
}

function askHttps({ httpPort: port }: TestService, tls: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const where = { port, host: '127.0.0.1', path: '/version', agent: false as const };
    const outgoing = request({ ...where, rejectUnauthorized: false, ...tls }, (response) => {
      resolve(response.socket as TLSSocket);
      response.resume();
    });
    outgoing.on('error', reject).end();
  });
}

async function httpsCertificateName(service: TestService): Promise<unknown> {
  return (await askHttps(service)).getPeerCertificate().subject.CN;
}

/** Waits for a line of the log that has come since, whose message contains the text. */
async function untilLogged(service: TestService, text: string, after = 0): Promise<void> {
  while (!service.log.slice(after).some((line) => JSON.parse(line).msg.includes(text))) await delay(5);
}

/** Clients in a thread of their own, which send something once hands are shaken, and reset the connection at once. */
const RESETTING = `
  const { connect } = require('node:net');
  const { workerData: { port, text } } = require('node:worker_threads');
  for (let i = 0; i < 200; i++) {
    const below = connect(port, '127.0.0.1');
    const above = require('node:tls').connect({ socket: below, rejectUnauthorized: false });
    for (const socket of [below, above]) socket.on('error', () => {});
    above.once('secureConnect', () => {
      above.write(text);
      below.resetAndDestroy();
    });
  }`;

async function sendAndReset(port: number | undefined, text: string): Promise<void> {
  await once(new Worker(RESETTING, { eval: true, workerData: { port, text } }), 'exit');
}

async function openConnections({ metricsPort }: TestService): Promise<number[]> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  return [...text.matchAll(/^ironcached_connections\{.*\} (\d+)$/gm)].map(([, count]) => Number(count));
}

test('clients that reset their connection in the middle of something hold none of it for long', async () => {
  const flags = install('first', temporaryDirectory());
  const service = await startByTls([...flags, '--memcached-request-timeout', '1', '--metrics-port', '0']);
  await sendAndReset(service.memcachedTlsPort, 'mn\r\n'.repeat(50));
  await sendAndReset(service.httpPort, 'GET /version HTTP/1.1\r\n\r\n'.repeat(50));
  // A thing of Node's: now and then, a write that fails while another one is made is told to nobody.
  await vi.waitFor(async () => expect(await openConnections(service)).toEqual([0, 0]), { timeout: 20_000 });
});

describe('a certificate', () => {
  test('serves both doors, and is read anew without dropping a connection', async () => {
    const directory = temporaryDirectory();
    const service = await startByTls(install('first', directory));
    expect(service.protocol).toBe('https');
    const before = await connect(service);
    expect(await before.ask(signIn(TOKEN, PROJECT, 'c'))).toBe('STORED\r\n');
    expect(certificateName(before)).toBe('first.test');
    expect(await httpsCertificateName(service)).toBe('first.test');

    install('second', directory);
    service.service.reloadCertificate();
    expect(certificateName(await connect(service))).toBe('second.test');
    expect(await httpsCertificateName(service)).toBe('second.test');
    expect(await before.ask('set k 0 0 1\r\nv\r\n')).toBe('STORED\r\n');
  });

  test('that is broken when it is read anew is not used, and the log says so', async () => {
    const directory = temporaryDirectory();
    const service = await startByTls(install('first', directory));
    copyFileSync(join(certificates, 'second-key.pem'), join(directory, 'key.pem'));
    service.service.reloadCertificate();
    expect(certificateName(await connect(service))).toBe('first.test');
    expect(service.log.join('')).toContain('the old one stays in use');
  });

  // Whoever opens it waits for somebody to write to it, and all clients with it.
  test('whose key is a pipe is read at the start alone', async () => {
    const directory = temporaryDirectory();
    const flags = install('first', directory);
    const pipe = join(directory, 'key.pem');
    rmSync(pipe);
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    writeInto(pipe, join(certificates, 'first-key.pem'));
    const service = await startByTls(flags);
    writeInto(pipe, join(certificates, 'second-key.pem'));
    service.service.reloadCertificate();
    expect(service.log.join('')).toContain('the certificate is the same as before');
    expect(certificateName(await connect(service))).toBe('first.test');
    copyFileSync(join(certificates, 'second-cert.pem'), join(directory, 'cert.pem'));
    service.service.reloadCertificate();
    expect(service.log.join('')).toContain('the old one stays in use');
  });

  test('is noticed when it changes, and used once its key has come, too', async () => {
    const directory = temporaryDirectory();
    const service = await startByTls([...install('first', directory), '--tls-reload-interval', '1']);
    const before = await connect(service);
    copyFileSync(join(certificates, 'second-cert.pem'), join(directory, 'cert.pem'));
    await untilLogged(service, 'the old one stays in use');
    expect(certificateName(await connect(service))).toBe('first.test');
    copyFileSync(join(certificates, 'second-key.pem'), join(directory, 'key.pem'));
    await untilLogged(service, 'the certificate was read anew');
    expect(certificateName(await connect(service))).toBe('second.test');
    expect(await httpsCertificateName(service)).toBe('second.test');
    expect(await before.ask('mn\r\n')).toBe('MN\r\n');
  });

  test('is noticed when a link to its directory is exchanged, as Kubernetes does it', {
    timeout: 20_000,
  }, async () => {
    const directory = temporaryDirectory();
    for (const which of ['first', 'second'] as const) {
      mkdirSync(join(directory, which));
      install(which, join(directory, which));
    }
    symlinkSync('first', join(directory, '..data'));
    const service = await startByTls([...flagsFor(join(directory, '..data')), '--tls-reload-interval', '1']);
    symlinkSync('second', join(directory, '..new'));
    renameSync(join(directory, '..new'), join(directory, '..data'));
    await untilLogged(service, 'the certificate was read anew');
    expect(certificateName(await connect(service))).toBe('second.test');
  });

  test('with another one’s key is no start', async () => {
    const directory = temporaryDirectory();
    const flags = install('first', directory);
    copyFileSync(join(certificates, 'second-key.pem'), join(directory, 'key.pem'));
    await expect(startService(flags)).rejects.toThrow(
      'IRONCACHED_TLS_CERT and IRONCACHED_TLS_KEY do not hold a certificate and its key',
    );
  });

  test('that has expired is warned of', async () => {
    const file = join(certificates, 'client-expired.pem');
    const service = await startService(['--tls-cert', file, '--tls-key', file]);
    expect(service.log.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({
        level: 40,
        validTo: 'Jan  1 00:00:00 2021 GMT',
        msg: 'the certificate has EXPIRED: clients that check it cannot connect',
      }),
    );
  });
});

describe('both doors', () => {
  test.each<[string, ConnectionOptions]>([
    ['TLS 1.3', { minVersion: 'TLSv1.3' }],
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }],
    ['TLS 1.2 with ChaCha20', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' }],
  ])('speak %s', async (_what, tls) => {
    const service = await startByTls(install('first', temporaryDirectory()));
    expect(await (await connect(service, tls)).ask('mn\r\n')).toBe('MN\r\n');
    await askHttps(service, tls);
  });

  test.each<[string, ConnectionOptions]>([
    ['TLS 1.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }],
    ['ciphers without authentication', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' }],
  ])('do not speak %s, before and after the certificate is read anew', async (_what, tls) => {
    const directory = temporaryDirectory();
    const service = await startByTls(install('first', directory));
    for (const which of ['first', 'second'] as const) {
      install(which, directory);
      service.service.reloadCertificate();
      await expect(connect(service, tls)).rejects.toThrow(/SSL/);
      await expect(askHttps(service, tls)).rejects.toThrow(/SSL/);
      expect(certificateName(await connect(service))).toBe(`${which}.test`);
    }
  });
});

describe('a client certificate', () => {
  const NAMES = ['--tls-clients', `app=${PROJECT}/of app`];

  function start(flags: readonly string[] = [], authority = 'client-authority.pem'): Promise<TestService> {
    const server = install('first', temporaryDirectory());
    return startByTls([...server, '--tls-client-ca', join(certificates, authority), ...flags]);
  }

  type Shown = 'named' | 'uri' | 'subjectless' | 'unnamed' | 'expired' | 'stranger' | 'subjectless-stranger';

  function shown(which: Shown): ConnectionOptions {
    const pem = readFileSync(join(certificates, `client-${which}.pem`));
    return { cert: pem, key: pem };
  }

  async function cacheOf(service: TestService, name: string): Promise<unknown> {
    return (await service.service.engine.cache(PROJECT, name).info())?.items;
  }

  test.each([
    ['named', 'of app'],
    ['uri', 'of worker'],
    // As workloads have them of SPIFFE and of service meshes.
    ['subjectless', 'of workload'],
  ] as const)('signs in to the cache that it is for: %s', async (which, cache) => {
    const service = await start(NAMES);
    const client = await connect(service, shown(which));
    expect(await client.ask('set k 0 0 1\r\nv\r\n')).toBe('STORED\r\n');
    expect(await cacheOf(service, cache)).toBe(1);
    // There is nothing to sign in to: it is an ordinary key.
    expect(await client.ask(signIn(TOKEN, PROJECT, 'c'))).toBe('STORED\r\n');
    expect(await cacheOf(service, cache)).toBe(2);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'signs in also where a session of %s is resumed',
    async (version) => {
      const service = await start([...NAMES, '--tls-client-auth', 'required']);
      const tls = { ...shown('named'), minVersion: version, maxVersion: version };
      const first = await connect(service, tls);
      const sessions: Buffer[] = [];
      first.socket.on('session', (session) => sessions.push(session));
      expect(await first.ask('get k\r\n')).toBe('END\r\n');
      const session = sessions.at(-1) ?? (first.socket as TLSSocket).getSession();
      if (!session) throw new Error('there is no session');
      const second = await connect(service, { ...tls, session });
      expect((second.socket as TLSSocket).isSessionReused()).toBe(true);
      expect(await second.ask('set k 0 0 1\r\nv\r\n')).toBe('STORED\r\n');
      expect(await cacheOf(service, 'of app')).toBe(1);
    },
  );

  test.each<[string, ConnectionOptions, string | undefined]>([
    ['none', {}, undefined],
    ['names no cache', shown('unnamed'), 'a client certificate names no project and cache'],
    ['has expired', shown('expired'), 'a client certificate is not accepted: CERT_HAS_EXPIRED'],
    [
      'is of another authority',
      shown('stranger'),
      'a client certificate is not accepted: UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
  ])(
    'that is none, or not to be believed, leaves the sign-in by token: it %s',
    async (_what, tls, logged) => {
      const service = await start(NAMES);
      const client = await connect(service, tls);
      expect(await client.ask('get k\r\n')).toBe('CLIENT_ERROR unauthenticated\r\n');
      expect(await client.ask(signIn(TOKEN, PROJECT, 'c'))).toBe('STORED\r\n');
      const warnings = service.log
        .map((line) => JSON.parse(line))
        .filter(({ msg }) => /client cert/.test(msg));
      expect(warnings.map(({ msg }) => msg)).toEqual(logged === undefined ? [] : [logged]);
      if (logged) expect(warnings[0]).toMatchObject({ level: 40, subject: expect.stringMatching(/^CN=/) });
    },
  );

  test.each<[string, ConnectionOptions]>([
    ['is none', {}],
    ['has expired', shown('expired')],
    ['is of another authority', shown('stranger')],
    ['is of another authority, and has no subject', shown('subjectless-stranger')],
  ])('may be required: then a client is closed whose certificate %s', async (_what, tls) => {
    const service = await start([...NAMES, '--tls-client-auth', 'required']);
    expect(await (await connect(service, tls)).rest()).toBe('ERROR a client certificate is needed\r\n');
    expect(await (await connect(service, shown('named'))).ask('get k\r\n')).toBe('END\r\n');
    const unnamed = await connect(service, shown('unnamed'));
    expect(await unnamed.ask(signIn(TOKEN, PROJECT, 'c'))).toBe('STORED\r\n');
  });

  test('of a project that does not exist is for nothing', async () => {
    const service = await start(['--tls-clients', `app=${'0'.repeat(24)}/c`]);
    expect(await (await connect(service, shown('named'))).ask('get k\r\n')).toContain('unauthenticated');
    await untilLogged(service, `names the project ${'0'.repeat(24)}, which there is not`);
  });

  test('is for nothing once its authority is no longer trusted, also when a session is resumed', async () => {
    const directory = temporaryDirectory();
    const authority = join(directory, 'authority.pem');
    copyFileSync(join(certificates, 'client-authority.pem'), authority);
    const service = await start([...NAMES, '--tls-client-ca', authority]);
    const before = await connect(service, { ...shown('named'), maxVersion: 'TLSv1.2' });
    expect(await before.ask('get k\r\n')).toBe('END\r\n');
    const session = (before.socket as TLSSocket).getSession();
    if (!session) throw new Error('there is no session');
    copyFileSync(join(certificates, 'client-another-authority.pem'), authority);
    service.service.reloadCertificate();
    const after = await connect(service, { ...shown('named'), session, maxVersion: 'TLSv1.2' });
    expect(await after.ask('get k\r\n')).toBe('CLIENT_ERROR unauthenticated\r\n');
    expect(await (await connect(service, shown('stranger'))).ask('get k\r\n')).toBe('END\r\n');
    // Who is in stays in; restart the service to have them out.
    expect(await before.ask('get k\r\n')).toBe('END\r\n');
  });

  test('is nothing that REST asks for', async () => {
    const service = await start(['--tls-client-auth', 'required']);
    const socket = await askHttps(service);
    if (!socket.destroyed) await once(socket, 'close');
  });

  test('needs a file with authorities', async () => {
    await expect(start([], 'first-key.pem')).rejects.toThrow(
      'IRONCACHED_TLS_CLIENT_CA does not hold certificates',
    );
    await expect(start([], 'nowhere.pem')).rejects.toThrow('IRONCACHED_TLS_CLIENT_CA: ENOENT');
  });
});
