/** A worker of the bank on a reference store; the end of its URL says with which fault. */
import { parentPort, workerData } from 'node:worker_threads'
import { bank, type BankWork } from '../../../src/cli/bank/worker.ts'
import type { Fault } from '../reference/one-key-store.ts'
import { viewOf } from '../transactions/view.ts'

const fault = decodeURIComponent(new URL(import.meta.url).hash.slice(1)) as Fault
await bank(
  workerData as BankWork,
  (store) => viewOf(store, fault),
  (text) => parentPort!.postMessage(text),
)
