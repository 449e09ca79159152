/** Looks blocks up and fills them, in an arena that is given; every payload found is checked byte by byte. */
import { parentPort, threadId, workerData } from 'node:worker_threads'
import { BlockCache, type CacheGeometry } from '../../../src/lsm/block-cache.ts'
import { viewArena } from '../../../src/memory/arena.ts'
import { EpochScheme } from '../../../src/reclaim/epoch.ts'
import { claimSlot } from '../../../src/reclaim/participant.ts'
import { failure } from '../crew.ts'
import { random } from '../random.ts'

export interface CachedBlocks {
  readonly buffer: SharedArrayBuffer
  readonly geometry: CacheGeometry
  readonly seed: number
  readonly rounds: number
}

export interface CacheCounts {
  readonly hits: number
  readonly fills: number
}

const BLOCKS = 300

function payloadOf(block: number): Uint8Array {
  return Uint8Array.from({ length: 20 + (block % 80) }, (_, i) => (block * 31 + i * 7) & 255)
}

function run({ buffer, geometry, seed, rounds }: CachedBlocks): CacheCounts {
  const arena = viewArena(buffer)
  const me = claimSlot(arena, threadId)!
  const scheme = new EpochScheme(arena, me)
  const cache = new BlockCache(arena, scheme, me, geometry)
  const r = random(seed)
  for (let i = 0; i < rounds; i++) {
    const block = r.chance(50) ? r.int(10) : r.int(BLOCKS)
    const right = payloadOf(block)
    scheme.enter()
    const frame = cache.lookup(5, block)
    if (frame !== 0) {
      const at = cache.payloadAt(frame)
      if (cache.lengthOf(frame) !== right.length) throw new Error(`block ${block} has another length`)
      for (let n = 0; n < right.length; n++) {
        if (cache.bytes[at + n] !== right[n]) throw new Error(`block ${block} has foreign bytes`)
      }
    }
    scheme.leave()
    if (frame === 0) cache.fill(5, block, right)
  }
  const { hits, fills } = cache
  scheme.detach()
  return { hits, fills }
}

try {
  parentPort!.postMessage({ result: run(workerData as CachedBlocks) })
} catch (error) {
  parentPort!.postMessage({ error: failure(error) })
}
