/** heddle: a lock-free, ordered key-value engine in shared memory for worker threads. */
export * from './store/index.ts'
