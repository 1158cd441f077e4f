/** What a schema of zod finds wrong, and where: `tokens[0].name must be …`. */
export function mistakesIn(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): string[] {
  return issues.map(({ path, message }) => `${pathText(path)} ${message}`.trim());
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');
}
