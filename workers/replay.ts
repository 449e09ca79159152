/** A worker of `heddle replay`: runs its part of the file, and tells every wrong answer. */
import { parentPort, workerData } from 'node:worker_threads'
import { Barrier } from '../src/cli/replay/barrier.ts'
import type { ReplayWork } from '../src/cli/replay/run.ts'
import { blocksOf, linesOf } from '../src/cli/replay/script.ts'
import { replay } from '../src/cli/replay/worker.ts'
import { attachText } from '../src/cli/text-store.ts'
import type { StoreHandle } from '../src/store/index.ts'

const work = workerData as ReplayWork & { readonly store: StoreHandle }
const store = attachText(work.store)
const barrier = new Barrier(work.workers, work.barrier)
replay(store, blocksOf(linesOf(work.file)), work, barrier, (answer) => parentPort!.postMessage(answer))
store.close()
