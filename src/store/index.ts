/** What the floors above, and the package's entry, take from the store. */
export { HeddleError, type HeddleErrorCode } from '../memory/error.ts'
export { attach, open, type AttachOptions } from './open.ts'
export type { Store } from './store.ts'
export type { OpenOptions, Tuning } from './options.ts'
export type { StoreHandle } from './handle.ts'
export type { Snapshot, SnapshotHandle } from './snapshot.ts'
export type { BackupOptions, BackupReport } from './backing-up.ts'
export type { Range } from './range.ts'
export type { BatchOperation } from './batching.ts'
export type { Isolation, Transaction } from './transaction.ts'
export type { TransactionOptions } from './transactions.ts'
export type { Stats, VerifyReport } from './stats.ts'
export type {
  CustomCodec,
  KeyCodecName,
  KeyCodecOption,
  KeyOf,
  ValueCodecName,
  ValueCodecOption,
  ValueOf,
} from './codec.ts'
