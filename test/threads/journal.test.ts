/** Real workers write, a consumer makes their changes durable, some of them are terminated: the files say what the store has. */
import { threadId } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { readChanges } from '../../src/lsm/change-record.ts'
import { chainOf, readLogHead, replayChain } from '../../src/lsm/log-chain.ts'
import { LogCommitter, initLog } from '../../src/lsm/log-committer.ts'
import { Replay } from '../../src/lsm/replay.ts'
import { Engine } from '../../src/store/engine.ts'
import { keyCodec, valueCodec } from '../../src/store/codec.ts'
import { makeHandle } from '../../src/store/handle.ts'
import { Store } from '../../src/store/store.ts'
import { crew, newGate, program, reportOf, stop } from '../support/crew.ts'
import { MemoryDisk } from '../support/memory-disk.ts'
import { fromEnv, random } from '../support/random.ts'
import { MIB, pause, settle, tiny } from '../support/stores.ts'
import { tieredArena } from '../support/tiers.ts'
import type { Churn } from '../support/workers/churn.ts'
import type { Journaled } from '../support/workers/journaled.ts'

const GENERATION = 77
const CONSUMER = 0xfff
const rounds = fromEnv('JOURNAL_ROUNDS', 150)
const kills = fromEnv('JOURNAL_KILLS', 12)
const options = { memory: 8 * MIB, tuning: tiny, maxThreads: 8 }

interface Durable {
  readonly store: Store
  readonly engine: Engine
  readonly disk: MemoryDisk
  /** Ends the consumer, when all that is in the ring is durable. */
  finish(): void
}

/** A store whose log is written to a disk in memory by this thread, whenever that has nothing else to do. */
function durableStore(ringGranules: number): Durable {
  const arena = tieredArena(ringGranules, options)
  const engine = new Engine(arena, threadId)
  engine.tree.create()
  const { log } = engine.journal!
  const disk = new MemoryDisk()
  let nextId = 1
  initLog(log, 5, 0)
  expect(log.claim(CONSUMER)).toBe(true)
  const committer = new LogCommitter(log, {
    disk,
    generation: GENERATION,
    nextFileId: () => nextId++,
    fileBytes: 1 << 16,
    bytes: arena.bytes,
  })
  const timer = setInterval(() => {
    committer.round()
    if (committer.fileSize > 1 << 18) committer.rotate()
    expect(committer.failure).toBeUndefined()
  }, 1)
  const handle = makeHandle(arena.buffer, 'utf8', 'utf8')
  const store = new Store(arena, engine, keyCodec('utf8'), valueCodec('utf8'), handle, null)
  const finish = (): void => {
    clearInterval(timer)
    committer.round()
    expect(log.stable(), 'a slot is not finished').toBe(log.frontier())
    committer.close()
  }
  return { store: store as Store, engine, disk, finish }
}

/** A store that has been recovered from the files. */
function recovered(disk: MemoryDisk): Map<string, string> {
  const arena = tieredArena(64, options)
  const engine = new Engine(arena, threadId)
  engine.tree.create()
  const replay = new Replay(engine.tree)
  const ids = disk
    .list()
    .filter((name) => name.endsWith('.log'))
    .map((name) => Number.parseInt(name, 10))
  const heads = ids.map((id) => readLogHead(disk, id, GENERATION))
  engine.replay(() => {
    replayChain(disk, chainOf(heads, 5), GENERATION, 5, (type, lsn, bytes, at, length) => {
      readChanges(type, bytes, at, length, replay, { name: 'log', offset: lsn })
    })
  })
  const handle = makeHandle(arena.buffer, 'utf8', 'utf8')
  const store = new Store(arena, engine, keyCodec('utf8'), valueCodec('utf8'), handle, null) as Store
  const entries = new Map(store)
  store.close()
  return entries
}

it.each([
  { ring: 'a large ring', granules: 1 << 15 },
  { ring: 'a ring that is full most of the time', granules: 256 },
])('what several workers write is what is recovered: $ring', { timeout: 120_000 }, async ({ granules }) => {
  const { store, disk, finish } = durableStore(granules)
  const churn: Churn = { seed: 3, rounds, keys: 300 }
  const mixed: Journaled = { seed: 5, rounds: rounds * 10, keys: 60, most: granules * 4 }
  await Promise.all([crew<number>(store, 'churn', 2, () => churn), crew<number>(store, 'journaled', 3, () => mixed)])
  await settle(store)
  finish()
  const entries = recovered(disk)
  expect(entries.size).toBeGreaterThan(20)
  expect(entries).toEqual(new Map(store))
  store.close()
})

it('what workers write that are terminated is what is recovered', { timeout: 180_000 }, async () => {
  const { store, engine, disk, finish } = durableStore(1024)
  const rng = random(9)
  const gate = newGate(1)
  const start = (thread: number) => {
    const data: Journaled = { seed: 100 + thread, rounds: 1e9, keys: 40, most: 2000 }
    return store.spawn(program('journaled'), { workerData: { gate, thread, ...data } })
  }
  let workers = Array.from({ length: 4 }, (_, thread) => start(thread))
  for (let kill = 0; kill < kills; kill++) {
    // Workers take long to start on a machine that is busy.
    const before = engine.journal!.frontier()
    while (engine.journal!.frontier() < before + 1000) await pause(5)
    await pause(rng.int(30))
    const at = rng.int(workers.length)
    await workers[at]!.terminate()
    workers = workers.map((worker, i) => (i === at ? start(10 + kill) : worker))
  }
  stop(gate)
  await Promise.all(workers.map((worker) => reportOf(worker)))
  await settle(store)
  finish()
  expect(engine.journal!.frontier()).toBeGreaterThan(10_000)
  expect(recovered(disk)).toEqual(new Map(store))
  store.close()
})
