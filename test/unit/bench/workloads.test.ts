import { expect, test } from 'vitest'
import { KEY_KINDS } from '../../../bench/engines/engine.ts'
import { WORKLOADS, findWorkload } from '../../../bench/workloads/catalog.ts'
import { keyBytesOf, keyMaker } from '../../../bench/workloads/keys.ts'
import { DELETE, Planner, READ, SCAN, SET } from '../../../bench/workloads/plan.ts'
import { Random } from '../../../bench/workloads/random.ts'
import { Zipf } from '../../../bench/workloads/zipf.ts'

const RECORDS = 1000

test('zipfian ranks come as often as they should', () => {
  const zipf = new Zipf(RECORDS)
  const random = new Random(7)
  const draws = 200_000
  const counts = new Float64Array(RECORDS)
  for (let i = 0; i < draws; i++) counts[zipf.rank(random.next())]++
  let shares = 0
  for (let rank = 0; rank < RECORDS; rank++) shares += zipf.share(rank)
  expect(shares).toBeCloseTo(1)
  for (const rank of [0, 1]) expect(Math.abs(counts[rank] / draws / zipf.share(rank) - 1)).toBeLessThan(0.05)
  // Gray's formula is exact for the first two and close for the others, taken together.
  for (const [from, to] of [
    [2, 10],
    [10, 100],
    [100, 1000],
  ]) {
    let expected = 0
    let counted = 0
    for (let rank = from; rank < to; rank++) {
      expected += zipf.share(rank)
      counted += counts[rank] / draws
    }
    expect(Math.abs(counted / expected - 1)).toBeLessThan(0.1)
  }
})

test('scattered zipfian draws stay in range and prefer some', () => {
  const zipf = new Zipf(RECORDS)
  const random = new Random(8)
  const counts = new Float64Array(RECORDS)
  for (let i = 0; i < 20_000; i++) counts[zipf.scattered(random.next())]++
  expect(counts.reduce((a, b) => a + b)).toBe(20_000)
  expect(Math.max(...counts) / 20_000).toBeGreaterThan(zipf.share(0) * 0.9)
})

test.each(KEY_KINDS)('%s keys are all different, no longer than they say, and ordered where they should be', (kind) => {
  const name = (key: string | number | Buffer) => (Buffer.isBuffer(key) ? key.toString('hex') : String(key))
  for (const sequential of [false, true]) {
    const make = keyMaker(kind, sequential)
    const keys = Array.from({ length: 5000 }, (_, i) => make(i))
    expect(new Set(keys.map(name)).size).toBe(5000)
    for (const key of keys) {
      if (typeof key !== 'number') expect(Buffer.byteLength(key)).toBeLessThanOrEqual(keyBytesOf(kind))
    }
    const ascents = keys.filter((key, i) => i === 0 || keys[i - 1] < key || Buffer.isBuffer(key)).length
    if (sequential) expect(ascents).toBe(5000)
    else if (kind !== 'binary') expect(ascents).toBeLessThan(3000)
  }
})

test('a plan has the shares that its workload says, and is the same for the same seed', () => {
  const planner = new Planner('string', RECORDS, false, 0, 1)
  const plan = planner.draw(findWorkload('ycsb-b'), 20_000, 3)
  const reads = plan.codes.reduce((sum, code) => sum + (code === READ ? 1 : 0), 0)
  expect(Math.abs(reads / 20_000 - 0.95)).toBeLessThan(0.01)
  expect(plan.code).toBe(-1)
  expect(planner.draw(findWorkload('ycsb-b'), 20_000, 3)).toEqual(plan)
  const mixed = planner.draw(findWorkload('mixed'), 10, 3)
  expect([...mixed.codes]).toEqual([READ, SET, READ, SET, READ, SET, READ, SET, READ, SET])
})

test('inserts are new each time and of each lane', () => {
  const seen = new Set<unknown>(Array.from({ length: RECORDS }, (_, i) => keyMaker('string', false)(i)))
  for (const lane of [0, 1]) {
    const planner = new Planner('string', RECORDS, false, lane, 2)
    for (let round = 0; round < 3; round++) {
      const plan = planner.draw(findWorkload('ycsb-d'), 500, round)
      plan.keys.forEach((key, i) => {
        if (plan.codes[i] !== SET) return
        expect(seen.has(key)).toBe(false)
        seen.add(key)
      })
    }
  }
})

test('churn sets the key that it has deleted; ycsb-e scans 1 to 100', () => {
  const planner = new Planner('number', RECORDS, true, 0, 1)
  const churn = planner.draw(findWorkload('churn'), 100, 5)
  for (let i = 0; i < 100; i += 2) {
    expect([churn.codes[i], churn.codes[i + 1]]).toEqual([DELETE, SET])
    expect(churn.keys[i]).toBe(churn.keys[i + 1])
  }
  const scans = planner.draw(findWorkload('ycsb-e'), 5000, 5)
  const limits = [...scans.limits].filter((_, i) => scans.codes[i] === SCAN)
  expect([Math.min(...limits), Math.max(...limits)]).toEqual([1, 100])
})

test('shares of a workload add up', () => {
  for (const { kind, mix } of WORKLOADS) {
    if (kind !== 'mix') continue
    expect(Object.values(mix).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1)
  }
})

test('the lanes of a load share the keys', () => {
  const keys = [0, 1, 2].flatMap((part) => new Planner('string', 100, false, 0, 3).load(true, part, 3).keys)
  expect(new Set(keys).size).toBe(100)
})
