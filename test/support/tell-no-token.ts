import { afterEach, expect } from 'vitest';
import { takeLeaks, tapSockets } from './overheard.ts';

// Runs before every test file; see vitest.config.ts.
tapSockets();

afterEach(() => {
  expect(takeLeaks(), 'tokens that somebody was told').toEqual([]);
});
