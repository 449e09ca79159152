/** A worker of the bank on a reference store, sound or with a fault. */
import { parentPort, workerData } from 'node:worker_threads'
import { bank, type BankWork } from '../../../src/cli/bank/worker.ts'
import type { Fault } from '../reference/one-key-store.ts'
import { viewOf } from '../transactions/view.ts'

const work = workerData as BankWork & { readonly fault: Fault }
void bank(
  work,
  (store) => viewOf(store, work.fault),
  (text) => parentPort!.postMessage(text),
)
