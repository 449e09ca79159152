import { defineConfig } from 'vitest/config'
import { exploreVite } from './src/explore/vite.ts'

const EXPLORED = ['test/explore/**/*.test.ts', 'test/seeded-faults/**/*.test.ts']

export default defineConfig({
  test: {
    // Tests start worker threads of their own, so each file gets a process, and few run at once.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    reporters: ['default'],
    projects: [
      { extends: true, test: { name: 'heddle', include: ['test/**/*.test.ts'], exclude: EXPLORED } },
      {
        extends: true,
        // The code under test is instrumented, so these run in a project of their own.
        plugins: [
          exploreVite({
            include: ['src', 'test/explore', 'test/seeded-faults'],
            exclude: ['src/cli', 'test/explore/foreign'],
          }),
        ],
        test: { name: 'explore', include: EXPLORED },
      },
    ],
  },
})
