import type { Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type SecureContextOptions, Server as TlsServer } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Accounts } from './auth/accounts.ts';
import type { Credentials } from './auth/credentials.ts';
import { type PlainCredentials, writeIronFile } from './auth/iron-file.ts';
import { TokenBook } from './auth/token-book.ts';
import { reachableInUrl } from './config/host-address.ts';
import { settings } from './config/settings.ts';
import type { Config } from './config.ts';
import type { Durability } from './durability/durability.ts';
import type { Clock, Moment } from './engine/clock.ts';
import type { CommitGate } from './engine/commit-gate.ts';
import { Engine } from './engine/engine.ts';
import type { JournaledStore } from './engine/journal.ts';
import { TickClock } from './event-loop/tick-clock.ts';
import { buildApp } from './http/app.ts';
import { buildMonitoringApp } from './http/monitoring-app.ts';
import { FailedSignIns } from './limits/failed-sign-ins.ts';
import { RequestRates } from './limits/request-rate.ts';
import { MemcachedListener } from './memcached/listener.ts';
import { readDocument } from './package-files.ts';
import { CacheSettingsFile, type CacheSettingsParts } from './service/cache-settings-file.ts';
import { CertificateFiles } from './service/certificate-files.ts';
import { DeletedProjects } from './service/deleted-projects.ts';
import { httpLimits, memcachedLimits, openTogether, signInLimits } from './service/door-limits.ts';
import { closeApp, listenHttp } from './service/listening.ts';
import { Monitoring } from './service/monitoring.ts';
import { givenAdminToken, openAccounts } from './service/open-accounts.ts';
import { openDurability } from './service/open-durability.ts';
import { type MemcachedAddresses, openMemcached } from './service/open-memcached.ts';
import { openStore } from './service/open-store.ts';
import { startWarnings } from './service/start-warnings.ts';
import { Sweeper } from './service/sweeper.ts';
import { StartError } from './start-error.ts';
import { messageOf } from './thrown.ts';

/** Where a running service is found, and who may use it. */
export interface Addresses extends MemcachedAddresses {
  readonly protocol: 'http' | 'https';
  readonly httpHost: string;
  readonly httpPort: number;
  /** Of the listener for metrics and health alone. */
  readonly metricsPort: number | undefined;
}

interface ServiceParts {
  readonly config: Config;
  readonly logger: Logger;
  readonly version: string;
  /** The clocks of this machine unless told otherwise. */
  readonly clock?: Clock & Moment;
}

/** The whole service: makes every long-lived part, starts them in order and stops them in reverse. */
export class Service {
  readonly engine: Engine;
  readonly #parts: ServiceParts;
  readonly #clock: Clock & Moment;
  readonly #store: JournaledStore;
  readonly #commitGate: CommitGate | undefined;
  #durability: Durability | undefined;
  readonly #memcached: MemcachedListener;
  readonly #tokens: TokenBook;
  readonly #signIns: FailedSignIns;
  readonly #connections = openTogether();
  readonly #rates: RequestRates;
  #accounts: Accounts | undefined;
  #plain: PlainCredentials | undefined;
  #adminTokenPath: string | undefined;
  #certificate: CertificateFiles | undefined;
  readonly #monitoring: Monitoring;
  #app: FastifyInstance | undefined;
  #monitoringApp: FastifyInstance | undefined;
  readonly #sweeper: Sweeper;
  #warnings: readonly string[] = [];
  #isRestored = false;
  #isReady = false;
  #stopping: Promise<boolean> | undefined;

  constructor(parts: ServiceParts) {
    const { config, logger, version, clock = new TickClock() } = parts;
    this.#parts = parts;
    const { now, unixNow } = clock;
    this.#clock = clock;
    this.#tokens = new TokenBook(unixNow);
    this.#signIns = new FailedSignIns(signInLimits(config), now, logger);
    this.#rates = new RequestRates(config.maxRequestsPerSecond, now);
    const before = process.memoryUsage().arrayBuffers;
    const { store, bytesMax: memoryBytesMax } = openStore(config, now);
    this.#store = store;
    const storeBufferBytes = process.memoryUsage().arrayBuffers - before;
    this.engine = new Engine(
      this.#store,
      { valueBytesMax: config.maxItemSize, defaultExpiresInSeconds: config.defaultExpiresIn },
      clock,
    );
    this.#sweeper = new Sweeper({ engine: this.engine, log: logger });
    if (config.durability === 'log') this.#commitGate = commitGateOf(() => this.#durability);
    this.#monitoring = new Monitoring({
      config,
      version,
      engine: this.engine,
      tokens: this.#tokens,
      storeBufferBytes,
      isReady: () => this.#isReady && this.#stopping === undefined,
      ...(config.durability === 'none' ? {} : { durability: () => this.#durability?.figures }),
      memcachedFigures: () => this.#memcached.figures,
    });
    this.#memcached = new MemcachedListener({
      engine: this.engine,
      moment: clock,
      tokens: this.#tokens,
      signIns: this.#signIns,
      rates: this.#rates,
      version,
      memoryBytesMax,
      log: logger,
      requests: this.#monitoring.memcachedRequests,
      slowMs: config.slowRequest,
      commitGate: this.#commitGate,
      limits: memcachedLimits(config, this.#connections),
    });
  }

  /** The first project with its token, where the service knows the token's text. */
  get plain(): PlainCredentials | undefined {
    return this.#plain;
  }

  /** What its owner should know, once it has started. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** The file with the admin token, where the first start made one. */
  get adminTokenPath(): string | undefined {
    return this.#adminTokenPath;
  }

  /** Resolves once both doors are open. Rejects with StartError where that cannot be. */
  async start(): Promise<Addresses> {
    const { config, logger } = this.#parts;
    const cacheSettings = await openCacheSettings(config, {
      engine: this.engine,
      cachesMax: config.maxCaches,
      log: logger,
    });
    const deletedProjects = new DeletedProjects({
      cacheSettings,
      engine: this.engine,
      store: this.#store,
      log: logger,
    });
    const accounts = await this.#openAccounts(deletedProjects);
    this.#certificate = CertificateFiles.open(config, logger);
    if (config.metricsPort !== undefined || config.metricsToken !== undefined)
      await this.#monitoring.prepare();
    this.#app = await this.#buildApp(accounts, cacheSettings);
    try {
      this.#durability = await openDurability(config, {
        store: this.#store,
        clock: this.#clock,
        log: logger,
      });
      const httpPort = await listenHttp(this.#app, {
        door: 'REST',
        host: config.httpHost,
        port: config.httpPort,
        settings: { host: settings.httpHost, port: settings.httpPort },
      });
      const metricsPort = await this.#listenForMonitoring();
      await this.#restore(accounts, deletedProjects);
      const addresses: Addresses = {
        protocol: this.#certificate ? 'https' : 'http',
        httpHost: config.httpHost,
        httpPort,
        ...(await this.#openMemcached(accounts.credentials)),
        metricsPort,
      };
      this.#sweeper.start();
      accounts.watch();
      this.#watchCertificate();
      await this.#writeIronFile(addresses);
      if (this.#stopping) throw stoppedEarly();
      this.#warnings = startWarnings(config, addresses);
      for (const warning of this.#warnings) logger.warn(warning);
      this.#isReady = true;
      logger.info({ ...addresses, project: this.#plain?.projectId }, 'ironcached is ready');
      return addresses;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Reads the certificate anew, for connections from now on. A broken one is logged and not used. */
  reloadCertificate(): void {
    if (this.#certificate?.reload()) this.#useCertificate();
  }

  /**
   * Reads the projects and tokens anew. A broken file is logged and not used. While items are restored, none may be
   * deleted: the file is read again after it, in any case.
   */
  async reloadCredentials(): Promise<void> {
    if (this.#isRestored) await this.#accounts?.reload();
  }

  /**
   * Closes both doors: no new connections, requests in flight are answered, for a bounded time. False: items
   * could not be kept that should have been.
   */
  stop(): Promise<boolean> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<boolean> {
    const { stopDelay, stopTimeout } = this.#parts.config;
    // Meanwhile REST answers as usual, but tells every client to close its connection.
    if (this.#isReady) await delay(stopDelay * 1000);
    this.#sweeper.stop();
    this.#certificate?.unwatch();
    const timeoutMs = stopTimeout * 1000;
    await Promise.all([this.#memcached.stop(timeoutMs), this.#app && closeApp(this.#app, timeoutMs)]);
    await this.#accounts?.close();
    // Until here, whoever watches is told that the service is not ready.
    if (this.#monitoringApp) await closeApp(this.#monitoringApp, 0);
    const isKept = (await this.#durability?.stop()) ?? true;
    if (isKept) await this.#accounts?.forgetEmptied();
    await this.#store.close();
    return isKept;
  }

  // By memcached's protocol nothing can be said to clients yet: that door is not open.
  async #restore(accounts: Accounts, deletedProjects: DeletedProjects): Promise<void> {
    await this.#startDurability();
    if (this.#stopping) throw stoppedEarly();
    const { remade } = accounts;
    await deletedProjects.deleteRestored(accounts.credentials, remade);
    await accounts.emptied(remade);
    this.#isRestored = true;
  }

  async #startDurability(): Promise<void> {
    try {
      await this.#durability?.start();
    } catch (error) {
      // Refused by the system (a full disk, somebody else's file): whoever starts it can mend that.
      if (!(error instanceof Error && 'syscall' in error)) throw error;
      throw new StartError(
        `the items cannot be restored: ${messageOf(error)} (see ${settings.dataDir.variable})`,
      );
    }
  }

  async #openAccounts(deletedProjects: DeletedProjects): Promise<Accounts> {
    const { config, logger } = this.#parts;
    const adminTokens = givenAdminToken(config);
    try {
      const opened = await openAccounts(config, {
        log: logger,
        now: this.#clock.unixNow,
        firstProject: true,
        hasItems: true,
        deletionsKept: async () => (await this.#durability?.kept()) ?? true,
        onChange: ({ projects, tokens }, deleted) => {
          this.#tokens.update({ projects, tokens: [...adminTokens, ...tokens] });
          for (const id of deleted) this.engine.setProjectQuota(id, {});
          for (const { id, quotas } of projects) {
            this.engine.setProjectQuota(id, { bytesMax: quotas.bytes, itemsMax: quotas.items });
          }
          return deletedProjects.delete(deleted);
        },
      });
      this.#plain = opened.plain;
      this.#adminTokenPath = opened.adminTokenPath;
      this.#accounts = opened.accounts;
      return opened.accounts;
    } catch (error) {
      throw new StartError(`no credentials: ${messageOf(error)} (${credentialsHint(config)})`);
    }
  }

  #openMemcached(credentials: Credentials): Promise<MemcachedAddresses> {
    return openMemcached(this.#parts.config, {
      listener: this.#memcached,
      engine: this.engine,
      tokens: this.#tokens,
      credentials,
      tls: this.#certificate?.options,
    });
  }

  #watchCertificate(): void {
    const { tlsReloadInterval } = this.#parts.config;
    if (tlsReloadInterval === 0) return;
    this.#certificate?.watch(tlsReloadInterval * 1000, () => this.#useCertificate());
  }

  #useCertificate(): void {
    if (!this.#certificate) return;
    const { options } = this.#certificate;
    this.#memcached.useCertificate(options);
    const server: Server | undefined = this.#app?.server;
    if (server instanceof TlsServer) server.setSecureContext(withoutClientCa(options));
  }

  async #listenForMonitoring(): Promise<number | undefined> {
    const { config, logger } = this.#parts;
    const { metricsHost: host, metricsPort: port } = config;
    if (port === undefined) return undefined;
    const { exposition: source, isReady } = this.#monitoring;
    this.#monitoringApp = await buildMonitoringApp({ source, isReady, logger });
    return listenHttp(this.#monitoringApp, {
      door: 'metrics',
      host,
      port,
      settings: { host: settings.metricsHost, port: settings.metricsPort },
    });
  }

  #buildApp(accounts: Accounts, cacheSettings: CacheSettingsFile): Promise<FastifyInstance> {
    const { config, logger, version } = this.#parts;
    const tls = this.#certificate && withoutClientCa(this.#certificate.options);
    return buildApp({
      engine: this.engine,
      tokens: this.#tokens,
      signIns: this.#signIns,
      rates: this.#rates,
      accounts,
      configureCache: (...change) => cacheSettings.configure(...change),
      logger,
      version,
      document: readDocument,
      limits: httpLimits(config, this.#connections),
      corsOrigins: config.corsOrigins,
      trustedProxies: config.trustProxy,
      requests: this.#monitoring.httpRequests,
      connections: this.#monitoring.httpConnections,
      slowMs: config.slowRequest,
      metrics: this.#monitoring.exposition,
      mayReadMetrics: (token) => this.#monitoring.mayRead(token),
      isReady: this.#monitoring.isReady,
      commitGate: this.#commitGate,
      ...(config.durability === 'none' ? {} : { notYet: () => this.#notYet() }),
      isStopping: () => this.#stopping !== undefined,
      ...(tls ? { tls } : {}),
    });
  }

  #notYet(): string | undefined {
    if (this.#isRestored) return undefined;
    const { bytes = 0, bytesOfAll = 0 } = this.#durability?.progress ?? {};
    const percent = bytesOfAll === 0 ? 0 : Math.floor((100 * bytes) / bytesOfAll);
    return `The service restores its items, ${percent} % by now. Try again in a second.`;
  }

  // Credentials that come from the settings are their owner's to keep.
  async #writeIronFile({ protocol, httpHost, httpPort }: Addresses): Promise<void> {
    const { config, logger } = this.#parts;
    const address = { protocol, host: reachableInUrl(httpHost), port: httpPort };
    if (!this.#plain || config.projectId !== undefined) return;
    try {
      await writeIronFile(config.dataDir, this.#plain, address);
    } catch (err) {
      logger.warn({ err }, 'iron.json could not be brought up to date');
    }
  }
}

function stoppedEarly(): StartError {
  return new StartError('stopped before it was ready');
}

// It exists once items are restored; before, nobody is answered.
function commitGateOf(durability: () => Durability | undefined): CommitGate {
  return {
    get isOpen() {
      return durability()?.gate?.isOpen ?? true;
    },
    wait(told) {
      const gate = durability()?.gate;
      if (gate) gate.wait(told);
      else told(true);
    },
  };
}

// REST clients show tokens, not certificates.
function withoutClientCa({ ca: _, ...options }: SecureContextOptions): SecureContextOptions {
  return options;
}

function credentialsHint({ credentialsFile }: Config): string {
  if (credentialsFile !== undefined) return `${settings.credentialsFile.variable} names the file`;
  return `${settings.dataDir.variable} names the directory; ${settings.projectId.variable} and ${settings.token.variable} do without it`;
}

async function openCacheSettings({ dataDir }: Config, parts: CacheSettingsParts): Promise<CacheSettingsFile> {
  try {
    return await CacheSettingsFile.open(dataDir, parts);
  } catch (error) {
    throw new StartError(`the settings of caches: ${messageOf(error)} (see ${settings.dataDir.variable})`);
  }
}
