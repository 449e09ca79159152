import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { BlockCache, placeCache } from '../../src/lsm/block-cache.ts'
import { createArena } from '../../src/memory/arena.ts'
import { loaderArguments } from '../../src/memory/worker-url.ts'
import { EpochScheme } from '../../src/reclaim/epoch.ts'
import { claimSlot } from '../../src/reclaim/participant.ts'
import { program, reportOf } from '../support/crew.ts'
import { fromEnv, random } from '../support/random.ts'
import type { CacheCounts, CachedBlocks } from '../support/workers/cached-blocks.ts'

const rounds = fromEnv('CACHE_ROUNDS', 60_000)

test('blocks found are those asked for, while others evict them and die', async () => {
  const arena = createArena({
    arenaWords: 1 << 19,
    segmentWords: 4096,
    maxParticipants: 8,
    pageIds: 64,
    leafEntries: 4,
    leafSlots: 2,
    innerEntries: 4,
    inlineBytes: 256,
    maxSnapshots: 2,
    clockBits: 28,
    snapshotMs: 0,
    snapshotWords: 2 ** 30,
    tierWords: 0,
    scheme: 'epoch',
    paranoid: true,
  })
  const geometry = placeCache(arena.layout.firstSegment << arena.layout.segmentShift, 24_000, 100)
  const me = claimSlot(arena, 0)!
  const scheme = new EpochScheme(arena, me)
  const cache = new BlockCache(arena, scheme, me, geometry)
  const start = (seed: number, count: number): Worker => {
    const data: CachedBlocks = { buffer: arena.buffer, geometry, seed, rounds: count }
    const url = program('cached-blocks')
    return new Worker(url, { workerData: data, execArgv: loaderArguments(url) })
  }
  const r = random(fromEnv('DEATH_SEED', 1))
  const staying = [1, 2].map((seed) => reportOf<CacheCounts>(start(seed, rounds)))
  for (let death = 0; death < 6; death++) {
    const victim = start(10 + death, 1e9)
    const { threadId } = victim
    const ended = new Promise((resolve) => victim.once('exit', resolve))
    await sleep(200 + r.int(200))
    await victim.terminate()
    await ended
    scheme.reap(threadId)
  }
  for (const report of await Promise.all(staying)) {
    expect(report).toMatchObject({ result: { hits: expect.any(Number), fills: expect.any(Number) } })
    if ('result' in report) {
      expect(report.result.hits).toBeGreaterThan(rounds / 10)
      expect(report.result.fills).toBeGreaterThan(100)
    }
  }
  const { problems, ...counts } = cache.verify()
  expect(problems).toEqual([])
  expect(counts.held).toBe(0)
  expect(counts.inSlots + counts.retired + counts.fresh).toBe(geometry.frames)
})
