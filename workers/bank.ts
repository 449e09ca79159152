/** A worker of `heddle bank`. */
import { parentPort, workerData } from 'node:worker_threads'
import { bank, type BankWork } from '../src/cli/bank/worker.ts'
import { transactional } from '../src/cli/transactional-store.ts'

void bank(workerData as BankWork, transactional, (text) => parentPort!.postMessage(text))
