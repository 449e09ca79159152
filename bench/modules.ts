/**
 * Which heddle is measured: the built JavaScript. With HEDDLE_BENCH_SOURCES=1 it is the sources, so that the tests of the
 * benchmarks need no build; figures taken that way mean nothing.
 */
import type * as Index from '../src/index.ts'
import type * as Block from '../src/log/block.ts'
import type * as Arena from '../src/memory/arena.ts'
import type * as Base from '../src/pagecache/base.ts'
import type * as Ownership from '../src/reclaim/ownership.ts'
import type * as Participant from '../src/reclaim/participant.ts'
import type * as Codec from '../src/store/codec.ts'
import type * as RawBuffer from '../src/store/raw-buffer.ts'
import type * as Key from '../src/tree/key.ts'

interface Modules {
  index: typeof Index
  'log/block': typeof Block
  'memory/arena': typeof Arena
  'pagecache/base': typeof Base
  'reclaim/ownership': typeof Ownership
  'reclaim/participant': typeof Participant
  'store/codec': typeof Codec
  'store/raw-buffer': typeof RawBuffer
  'tree/key': typeof Key
}

export const MEASURES_SOURCES: boolean = process.env.HEDDLE_BENCH_SOURCES === '1'

/** Loads one of heddle's modules, internal ones included. @param name its path below src, without extension */
export async function loadModule<Name extends keyof Modules>(name: Name): Promise<Modules[Name]> {
  const path = MEASURES_SOURCES ? `../src/${name}.ts` : `../dist/src/${name}.js`
  return (await import(new URL(path, import.meta.url).href)) as Modules[Name]
}
