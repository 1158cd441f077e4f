import { type Whole, wholeFrom } from '../../engine/whole.ts';
import { HttpRefusal } from '../http-refusal.ts';
import { type Member, readMembers } from '../json-members.ts';
import { AMOUNT_TEXT } from '../schemas.ts';

const EXAMPLE = '{"amount": 1}';
const MEMBERS = new Set(['amount', 'value']);

/**
 * Reads the body of an increment: by how much, within 64 bits, signed. Throws HttpRefusal 400 (not such
 * a number) and 406 (no amount).
 */
export function readAmount(body: Buffer): Whole {
  const members = readMembers(body, EXAMPLE, MEMBERS);
  const member = given(members.get('amount')) ?? given(members.get('value'));
  if (!member) {
    throw new HttpRefusal(406, `The member "amount" is missing. Send a JSON object, like ${EXAMPLE}.`);
  }
  const amount = integerOf(member);
  if (amount === undefined || BigInt.asIntN(64, amount) !== amount) {
    throw new HttpRefusal(400, `${AMOUNT_TEXT}.`);
  }
  return wholeFrom(amount);
}

function given(member: Member | undefined): Member | undefined {
  return member?.value === null ? undefined : member;
}

function integerOf(member: Member): bigint | undefined {
  if (typeof member.value !== 'number') return undefined;
  const digits = member.source();
  // No 64-bit number has more digits; reading a million of them would take long.
  if (/^-?\d{1,20}$/.test(digits)) return BigInt(digits);
  // A client that calculates in floating point may say 5.0.
  return Number.isSafeInteger(member.value) ? BigInt(member.value) : undefined;
}
