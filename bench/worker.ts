/** A thread of an engine's process: attaches, and does as a lane what it is told. */
import { parentPort, workerData } from 'node:worker_threads'
import { loadEngine } from './engines/catalog.ts'
import type { Session, Setting } from './engines/engine.ts'
import { Lane, type Task } from './lane.ts'

export interface WorkerData {
  readonly engine: string
  readonly shuffled: boolean
  readonly index: number
  readonly lanes: number
}

export type WorkerRequest =
  | { kind: 'attach'; setting: Setting; data: unknown }
  | { kind: 'prepare'; task: Task }
  | { kind: 'go' }
  | { kind: 'detach' }

const { engine: name, shuffled, index, lanes } = workerData as WorkerData
const engine = await loadEngine(name)
let session: Session | undefined
let lane: Lane | undefined

async function answer(request: WorkerRequest): Promise<unknown> {
  if (request.kind === 'attach') {
    session = await engine.attach(request.data, request.setting)
    lane = new Lane(session, request.setting, shuffled, index, lanes)
  } else if (request.kind === 'prepare') lane!.prepare(request.task)
  else if (request.kind === 'go') return lane!.go()
  else {
    await session!.close()
    session = undefined
    lane = undefined
    // The memory of a store that was thrown away goes only with the last thread's reference to it.
    ;(globalThis as { gc?: () => void }).gc?.()
  }
  return null
}

parentPort!.on('message', (request: WorkerRequest) => {
  answer(request).then(
    (result) => parentPort!.postMessage({ result }),
    (error: unknown) => parentPort!.postMessage({ error: String(error) }),
  )
})
parentPort!.postMessage({ result: 'ready' })
