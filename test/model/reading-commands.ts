import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Store } from '../../src/index.ts'
import type { Pair } from './codec-pairs.ts'
import { assertSame, command, refusal, type StoreCommand } from './command.ts'
import { show } from './show.ts'
import type { ModelRange, SortedModel } from './sorted-model.ts'

/** Every way to read a store. */
export function readingCommands<K, V>(pair: Pair<K, V>): fc.Arbitrary<StoreCommand<K, V>>[] {
  const key = pair.keys.arbitrary
  const get = key.map((k) => command<K, V>(`get(${show(k)})`, (model, store) => assertSame(store.get(k), model.get(k))))
  const has = key.map((k) =>
    command<K, V>(`has(${show(k)})`, (model, store) => assert.equal(store.has(k), model.has(k))),
  )
  const whole = fc.constant(
    command<K, V>('[...store] and forEach', (model, store) => {
      assertSame([...store], model.entries())
      const visited: [K, V][] = []
      store.forEach((v, k) => visited.push([k, v]))
      assertSame(visited, model.entries())
    }),
  )
  return [get, has, whole, getInto(pair), scan(pair), scan(pair), scanPart(pair), scanWhileWriting(pair)]
}

/** Copies into the middle of a buffer that is longer than needed, just as long, or a byte too short. */
function getInto<K, V>(pair: Pair<K, V>): fc.Arbitrary<StoreCommand<K, V>> {
  const spare = fc.constantFrom(-1, 0, 5)
  return fc.tuple(pair.keys.arbitrary, fc.integer({ min: 0, max: 5 }), spare).map(([k, offset, extra]) =>
    command(`getInto(${show(k)}) at ${offset} with ${extra} to spare`, (model, store) => {
      const there = model.get(k)
      if (there === undefined) {
        const untouched = new Uint8Array(8).fill(0xee)
        assert.equal(store.getInto(k, untouched, offset), -1)
        assert.deepEqual(untouched, new Uint8Array(8).fill(0xee))
        return
      }
      const bytes = encoded(pair, store, k, there)
      const buffer = new Uint8Array(Math.max(0, offset + bytes.length + extra)).fill(0xee)
      const expected = buffer.slice()
      if (buffer.length < offset + bytes.length) {
        const { message } = refusal(() => store.getInto(k, buffer, offset))
        if (offset <= buffer.length) assert.match(message, new RegExp(String(bytes.length)))
      } else {
        expected.set(bytes, offset)
        assert.equal(store.getInto(k, buffer, offset), bytes.length)
      }
      assert.deepEqual(buffer, expected)
    }),
  )
}

/** The bytes of a value: those laid down by its codec, or else those that fit the value. */
function encoded<K, V>(pair: Pair<K, V>, store: Store<K, V>, key: K, value: V): Uint8Array {
  const buffer = new Uint8Array(2 ** 18)
  const bytes = buffer.subarray(0, store.getInto(key, buffer))
  if (pair.values.bytes !== undefined) assert.deepEqual(bytes, new Uint8Array(pair.values.bytes(value)))
  else if (pair.values.option === 'json') assert.deepEqual(JSON.parse(new TextDecoder().decode(bytes)), value)
  else assert.ok(bytes.length > 0)
  return bytes
}

/** Ranges of every kind, with bounds that are likely to be keys. */
export function ranges<K, V>(pair: Pair<K, V>): fc.Arbitrary<ModelRange<K>> {
  const bound = fc.oneof(pair.keys.arbitrary, fc.integer({ min: 0, max: 60 }).map(pair.keys.numbered))
  const below = [bound.map((gt) => ({ gt })), bound.map((gte) => ({ gte }))] as const
  const above = [bound.map((lt) => ({ lt })), bound.map((lte) => ({ lte }))] as const
  const lower = fc.oneof(
    fc.constant({}),
    ...below,
    fc.tuple(...below).map(([a, b]) => ({ ...a, ...b })),
  )
  const upper = fc.oneof(
    fc.constant({}),
    ...above,
    fc.tuple(...above).map(([a, b]) => ({ ...a, ...b })),
  )
  const none = fc.constant({})
  const prefix =
    pair.keys.startsWith === undefined
      ? none
      : fc.oneof(
          none,
          bound.map((k) => ({ prefix: k })),
        )
  const reverse = fc.constantFrom({}, { reverse: false }, { reverse: true }, { reverse: true })
  const limit = fc.oneof(
    none,
    none,
    fc.integer({ min: 0, max: 30 }).map((n) => ({ limit: n })),
  )
  return fc.tuple(lower, upper, prefix, reverse, limit).map((parts) => Object.assign({}, ...parts) as ModelRange<K>)
}

function scan<K, V>(pair: Pair<K, V>): fc.Arbitrary<StoreCommand<K, V>> {
  const what = fc.constantFrom('entries' as const, 'keys' as const, 'values' as const)
  return fc.tuple(what, ranges(pair)).map(([kind, range]) =>
    command(`${kind}(${show(range)})`, (model, store) => {
      const entries = model.entries(range)
      if (kind === 'entries') assertSame([...store.entries(range)], entries)
      else if (kind === 'keys')
        assertSame(
          [...store.keys(range)],
          entries.map(([k]) => k),
        )
      else
        assertSame(
          [...store.values(range)],
          entries.map(([, v]) => v),
        )
    }),
  )
}

/** Leaves an iteration before its end. */
function scanPart<K, V>(pair: Pair<K, V>): fc.Arbitrary<StoreCommand<K, V>> {
  return fc.tuple(ranges(pair), fc.integer({ min: 1, max: 9 })).map(([range, count]) =>
    command(`${count} of entries(${show(range)})`, (model, store) => {
      const found: [K, V][] = []
      for (const entry of store.entries(range)) {
        found.push(entry)
        if (found.length === count) break
      }
      assertSame(found, model.entries(range).slice(0, count))
    }),
  )
}

/** Writes while an iteration is under way: what stayed is seen, what never was is not, in order and once. */
function scanWhileWriting<K, V>(pair: Pair<K, V>): fc.Arbitrary<StoreCommand<K, V>> {
  const number = fc.integer({ min: 0, max: 60 })
  const arbitraries = [ranges(pair), fc.integer({ min: 0, max: 9 }), number, number, pair.values.small] as const
  return fc.tuple(...arbitraries).map(([whole, count, filled, emptied, v]) => {
    const { limit: _, ...range } = whole
    return command(
      `entries(${show(range)}), after ${count}: fill from ${filled}, empty from ${emptied}`,
      (model, store) => {
        const before = model.entries(range)
        const iterator = store.entries(range)
        const found: K[] = []
        for (let i = 0; i < count; i++) {
          const step = iterator.next()
          if (step.done !== true) found.push(step.value[0])
        }
        for (let i = 0; i < 12; i++) {
          const [k, gone] = [pair.keys.numbered(filled + i), pair.keys.numbered(emptied + i)]
          store.set(k, v)
          model.set(k, v)
          assert.equal(store.delete(gone), model.delete(gone))
        }
        for (let step = iterator.next(); step.done !== true; step = iterator.next()) found.push(step.value[0])
        assertWeaklyConsistent(
          model,
          range,
          found,
          before.map(([k]) => k),
        )
      },
    )
  })
}

function assertWeaklyConsistent<K, V>(model: SortedModel<K, V>, range: ModelRange<K>, found: K[], before: K[]): void {
  const { compare } = model.pair.keys
  const sign = range.reverse === true ? -1 : 1
  for (let i = 1; i < found.length; i++) {
    assert.ok(compare(found[i - 1]!, found[i]!) * sign < 0, `${show(found[i - 1])} comes before ${show(found[i])}`)
  }
  const among = (keys: K[], key: K): boolean => keys.some((other) => compare(other, key) === 0)
  for (const key of found) {
    assert.ok(model.within(key, range), `${show(key)} is outside the range`)
    assert.ok(among(before, key) || model.has(key), `${show(key)} never was there`)
  }
  for (const key of before) {
    assert.ok(!model.has(key) || among(found, key), `${show(key)} stayed and was not seen`)
  }
}
