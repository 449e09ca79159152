import { threadId } from 'node:worker_threads'
import { HeddleError } from '../memory/error.ts'
import { createArena, viewArena } from '../memory/arena.ts'
import { startCleaner } from './cleaner-thread.ts'
import { type KeyCodecOption, type KeyOf, type ValueCodecOption, type ValueOf, keyCodec, valueCodec } from './codec.ts'
import { Engine } from './engine.ts'
import { type StoreHandle, checkHandle, makeHandle } from './handle.ts'
import { type OpenOptions, checkOptions } from './options.ts'
import { Store } from './store.ts'

/**
 * Opens a new, empty store in memory of its own.
 * @throws HeddleError HEDDLE_INVALID_OPTION
 */
export function open<KC extends KeyCodecOption = 'utf8', VC extends ValueCodecOption = 'utf8'>(
  options: OpenOptions<KC, VC> = {},
): Store<KeyOf<KC>, ValueOf<VC>> {
  const { geometry, cleaner } = checkOptions(options)
  const keys = keyCodec(options.keys)
  const values = valueCodec(options.values)
  const arena = createArena(geometry)
  const engine = new Engine(arena, threadId)
  engine.tree.create()
  const handle = makeHandle(arena.buffer, options.keys ?? 'utf8', options.values ?? 'utf8')
  const thread = cleaner ? startCleaner(arena, handle, (dead) => void engine.scheme.reap(dead)) : null
  return new Store<KeyOf<KC>, ValueOf<VC>>(arena, engine, keys, values, handle, thread)
}

/** Codecs to attach with; needed only where the store was opened with custom ones, which cannot be passed on. */
export interface AttachOptions {
  keys?: KeyCodecOption
  values?: ValueCodecOption
}

function codecOption<O>(which: string, name: string, given: O | undefined): O | string {
  if (name !== 'custom') return name
  if (given !== undefined) return given
  throw new HeddleError(
    'HEDDLE_INVALID_OPTION',
    `the store was opened with a custom codec for ${which}; give the same to attach(handle, { ${which} })`,
  )
}

/**
 * Joins a store of another thread (or the same one).
 * @throws HeddleError HEDDLE_BAD_HANDLE, HEDDLE_TOO_MANY_THREADS, HEDDLE_INVALID_OPTION if custom codecs are missing
 */
export function attach<K = string, V = string>(handle: StoreHandle, options: AttachOptions = {}): Store<K, V> {
  const checked = checkHandle(handle)
  const keys = keyCodec(codecOption('keys', checked.keys, options.keys))
  const values = valueCodec(codecOption('values', checked.values, options.values))
  const arena = viewArena(checked.buffer)
  return new Store<K, V>(arena, new Engine(arena, threadId), keys, values, checked, null)
}
