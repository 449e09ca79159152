/** `heddle/explore`: every interleaving of code that uses SharedArrayBuffer and Atomics. */
export { explore } from './explore.ts'
export { type ExploreFilesOptions, exploreFiles } from './explore-files.ts'
export { Failure, fail, type FailureKind } from './failure.ts'
export { allocated, freed, op } from './history.ts'
export type { HistoryOperation, SequentialModel } from './linearizability.ts'
export * from './models.ts'
export type { ScenarioResult } from './scenario-files.ts'
export type { ExploreError, ExploreOptions, ExploreResult, Mode, Progress, Run } from './options.ts'
