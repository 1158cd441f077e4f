import type { TLSSocket } from 'node:tls';
import type { TokenBook } from '../auth/token-book.ts';
import type { Engine } from '../engine/engine.ts';
import type { DoorLog } from './door-log.ts';
import type { Admission } from './sign-in.ts';

/** Which cache a client may use by its certificate alone. */
interface CertificateClaim {
  readonly projectId: string;
  readonly cacheName: string;
}

export interface ClientCertificateRules {
  /** Must every client show a certificate? Else those without one sign in by token. */
  readonly areRequired: boolean;
  /** The caches of clients, by the common names of their certificates. */
  readonly names: ReadonlyMap<string, CertificateClaim>;
}

interface Parts {
  readonly rules: ClientCertificateRules;
  readonly engine: Engine;
  readonly tokens: TokenBook;
  readonly log: DoorLog;
}

/**
 * Signs clients in by the certificates that they show in the handshake. One that is not trusted, or names no cache, is
 * logged and ignored.
 */
export class ClientCertificates {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** What a client may use at once, if anything; `refused`: it has to go. */
  admit(socket: TLSSocket): Admission | 'refused' | undefined {
    const certificate = socket.getPeerX509Certificate();
    const refusedOr = this.#parts.rules.areRequired ? 'refused' : undefined;
    if (!certificate) return refusedOr;
    // Whatever the types say, undefined where it is empty: SPIFFE's certificates have only alternative names.
    const names: string = certificate.subject ?? '';
    const subject = names.replaceAll('\n', ', ');
    if (!socket.authorized) {
      this.#warn(socket, subject, `is not accepted: ${socket.authorizationError}`);
      return refusedOr;
    }
    const commonName = /^CN=(.*)$/m.exec(names)?.[1] ?? '';
    const claim = this.#parts.rules.names.get(commonName) ?? claimFrom(certificate.subjectAltName ?? '');
    if (claim) return this.#admission(socket, subject, claim);
    this.#warn(socket, subject, 'names no project and cache');
    return undefined;
  }

  #admission(socket: TLSSocket, subject: string, claim: CertificateClaim): Admission | undefined {
    const { engine, tokens } = this.#parts;
    const grant = tokens.boundGrant(claim.projectId);
    if (grant) return { cache: engine.cache(claim.projectId, claim.cacheName), grant };
    this.#warn(socket, subject, `names the project ${claim.projectId}, which there is not`);
    return undefined;
  }

  #warn({ remoteAddress }: TLSSocket, subject: string, what: string): void {
    this.#parts.log.certificateIgnored(remoteAddress, subject, what);
  }
}

/**
 * Reads the alternative name `URI:ironcached://PROJECT_ID/CACHE_NAME`, where the cache name is percent-encoded.
 * Node writes names that hold a comma or a quote as JSON strings, which match nothing here.
 */
export function claimFrom(alternativeNames: string): CertificateClaim | undefined {
  for (const name of alternativeNames.split(', ')) {
    const [, projectId, encoded] = /^URI:ironcached:\/\/([0-9a-f]{24})\/([^/?#"\\]+)$/.exec(name) ?? [];
    const cacheName = encoded === undefined ? undefined : decoded(encoded);
    if (projectId !== undefined && cacheName !== undefined) return { projectId, cacheName };
  }
  return undefined;
}

function decoded(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}
