/** What is needed of a logger; pino's is one. */
export interface DurabilityLogger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}
