import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Logger } from 'pino';
import { settings } from '../config/settings.ts';
import type { Config } from '../config.ts';
import { isReadOnce } from '../files/read-once.ts';
import { StartError } from '../start-error.ts';
import { messageOf } from '../thrown.ts';

/** Mozilla's "intermediate" list: forward secrecy and authenticated encryption only. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

const EXPIRY_WARNING_MS = 14 * 24 * 3_600_000;

type Pem = Pick<SecureContextOptions, 'cert' | 'key' | 'ca'>;

/** The certificate with its key, and the authorities for those of clients, as they last fitted together. */
export class CertificateFiles {
  readonly #read: () => Pem;
  readonly #logger: Logger;
  #pem: Pem;
  /** What was wrong when the files were read last. */
  #complaint: string | undefined;
  #watchTimer: NodeJS.Timeout | undefined;

  private constructor(read: () => Pem, logger: Logger) {
    this.#read = read;
    this.#logger = logger;
    this.#pem = read();
    this.#logExpiry();
  }

  /** Undefined where no certificate is set. Throws StartError where the files cannot be used. */
  static open({ tlsCert, tlsKey, tlsClientCa }: Config, logger: Logger): CertificateFiles | undefined {
    if (tlsCert === undefined || tlsKey === undefined) return undefined;
    return new CertificateFiles(reading(tlsCert, tlsKey, tlsClientCa), logger);
  }

  /** What a server needs to speak TLS. */
  get options(): SecureContextOptions {
    return { ...this.#pem, minVersion: 'TLSv1.2', ciphers: CIPHERS };
  }

  /** Reads the files anew; true: there is something else to use. What cannot be used is logged. */
  reload(): boolean {
    this.#complaint = undefined;
    const isNew = this.#look();
    if (!isNew && this.#complaint === undefined) this.#logger.info('the certificate is the same as before');
    return isNew;
  }

  /**
   * Calls whenever there is something else to use. It polls the files: Kubernetes exchanges a link far above them,
   * which watching them would miss.
   */
  watch(intervalMs: number, onChange: () => void): void {
    const look = () => {
      if (this.#look()) onChange();
    };
    this.#watchTimer = setInterval(look, intervalMs).unref();
  }

  unwatch(): void {
    clearInterval(this.#watchTimer);
  }

  #look(): boolean {
    try {
      const pem = this.#read();
      this.#complaint = undefined;
      if (isSame(pem, this.#pem)) return false;
      this.#pem = pem;
      this.#logger.info('the certificate was read anew');
      this.#logExpiry();
      return true;
    } catch (err) {
      if (messageOf(err) !== this.#complaint) {
        this.#logger.error({ err }, 'the new certificate cannot be used; the old one stays in use');
      }
      this.#complaint = messageOf(err);
      return false;
    }
  }

  #logExpiry(): void {
    const { subject, validTo } = new X509Certificate(this.#pem.cert as Buffer);
    const left = Date.parse(validTo) - Date.now();
    if (left > EXPIRY_WARNING_MS) return;
    const what = left > 0 ? 'expires soon' : 'has EXPIRED';
    this.#logger.warn({ subject, validTo }, `the certificate ${what}: clients that check it cannot connect`);
  }
}

/** Reads the files whenever it is called. */
function reading(certPath: string, keyPath: string, caPath: string | undefined): () => Pem {
  const { tlsCert, tlsKey, tlsClientCa } = settings;
  const readCert = readingPem(tlsCert.variable, certPath);
  const readKey = readingPem(tlsKey.variable, keyPath);
  const readCa = caPath === undefined ? undefined : readingPem(tlsClientCa.variable, caPath);
  return () => {
    const own = { cert: readCert(), key: readKey() };
    check(own, `${tlsCert.variable} and ${tlsKey.variable} do not hold a certificate and its key`);
    if (!readCa) return own;
    const ca = readCa();
    // OpenSSL takes a file without any certificate for one that trusts nobody.
    check({ ca, cert: ca }, `${tlsClientCa.variable} does not hold certificates`);
    return { ...own, ca };
  };
}

function readingPem(variable: string, path: string): () => Buffer {
  let pem: Buffer | undefined;
  return () => {
    try {
      if (!pem || !isReadOnce(statSync(path))) pem = readFileSync(path);
      return pem;
    } catch (error) {
      throw new StartError(`${variable}: ${messageOf(error)}`);
    }
  };
}

function check(pem: Pem, complaint: string): void {
  try {
    createSecureContext(pem);
  } catch (error) {
    throw new StartError(`${complaint}: ${messageOf(error)}`);
  }
}

function isSame(one: Pem, other: Pem): boolean {
  const names = ['cert', 'key', 'ca'] as const;
  return names.every((name) => String(one[name]) === String(other[name]));
}
