import type { FastifyReply } from 'fastify';
import type { Denial } from '../auth/grant.ts';
import { missingPermission, type PermissionSet } from '../auth/permissions.ts';
import type { RateRefusal } from '../limits/request-rate.ts';
import { sendError, sendNotFound } from './errors.ts';

/** Answers why a token may not use a project. */
export function refuseDenied(reply: FastifyReply, denial: Denial): void {
  switch (denial) {
    case 'no_such_project':
      sendNotFound(reply);
      break;
    case 'unknown_token':
      refuseToken(reply, 'This token is not known');
      break;
    case 'expired_token':
      refuseToken(reply, 'This token has expired');
      break;
    case 'forbidden':
      sendForbidden(reply, 'This token has no right to this project. Use a token of the project.');
      break;
    case 'suspended':
      sendForbidden(reply, 'This project is suspended. Ask whoever runs this service to resume it.');
      break;
  }
}

/** Answers that a token lacks one of the permissions that are needed. */
export function refusePermission(reply: FastifyReply, there: PermissionSet, needed: PermissionSet): void {
  const missing = missingPermission(there, needed);
  const verb = missing === 'admin' ? 'administer' : missing;
  sendForbidden(reply, `This token may not ${verb}. Use a token with the permission "${missing}".`);
}

export const METRICS_FORBIDDEN =
  'This token may not read the metrics. Use that of IRONCACHED_METRICS_TOKEN, or an admin token for all projects.';

/** Answers that a token is known, but not for the metrics. */
export function refuseMetrics(reply: FastifyReply): void {
  sendForbidden(reply, METRICS_FORBIDDEN);
}

/** Answers 401: there is no token, or none that is good for anything. */
export function refuseToken(reply: FastifyReply, reason: string): void {
  sendError(reply, {
    status: 401,
    msg: `${reason}. Send it as the header "Authorization: OAuth TOKEN" or as ?oauth=TOKEN.`,
    headers: { 'www-authenticate': 'OAuth realm="ironcached"' },
  });
}

/** Answers that too many sign-ins from the client's address failed. */
export function refuseAddress(reply: FastifyReply, seconds: number): void {
  sendTooMany(reply, seconds, `Too many failed sign-ins from your address. Try again in ${seconds} seconds.`);
}

/** Answers that there are too many requests. */
export function refuseRate(reply: FastifyReply, { owner, perSecond, retryAfterSeconds }: RateRefusal): void {
  const msg = `This ${owner} may make ${perSecond} requests per second. Wait, then try again.`;
  sendTooMany(reply, retryAfterSeconds, msg);
}

function sendTooMany(reply: FastifyReply, retryAfterSeconds: number, msg: string): void {
  sendError(reply, { status: 429, msg, headers: { 'retry-after': String(retryAfterSeconds) } });
}

export function sendForbidden(reply: FastifyReply, msg: string): void {
  sendError(reply, { status: 403, msg });
}
