import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // No test is about time. A machine that is busy, or small, may take long.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    setupFiles: ['test/support/tell-no-token.ts'],
  },
});
