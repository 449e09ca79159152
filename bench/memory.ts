/**
 * Bytes per record: a million records of a 16-byte key and a 100-byte value, loaded in random order, then each overwritten
 * twice while the background cleaner works.
 *
 *   npm run bench:memory
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { open } from '../dist/src/index.js'
import { RECORDS, keyOf, value } from './load.ts'

const store = open({ memory: 2 ** 29, values: 'binary' })

function report(when: string): void {
  const { bytesLive, segmentsInUse, segmentWords, utilisation } = store.stats()
  const inUse = (segmentsInUse * segmentWords * 4) / RECORDS
  console.log(
    `${when}: ${(bytesLive / RECORDS).toFixed(1)} bytes per record live, ${inUse.toFixed(1)} in segments in use, ` +
      `utilisation of the sealed segments ${(utilisation * 100).toFixed(0)} %`,
  )
}

for (let i = 0; i < RECORDS; i++) store.set(keyOf(i), value)
report('loaded, at once')
await sleep(2000)
report('loaded, two seconds later')
// Every record twice, the two times anywhere in one random order.
const order = new Int32Array(2 * RECORDS)
for (let i = 0; i < order.length; i++) order[i] = i % RECORDS
let state = 1
for (let i = order.length - 1; i > 0; i--) {
  state = (Math.imul(state, 1664525) + 1013904223) | 0
  const j = Math.floor(((state >>> 0) / 2 ** 32) * (i + 1))
  const kept = order[i]
  order[i] = order[j]
  order[j] = kept
}
for (const i of order) store.set(keyOf(i), value)
report('overwritten twice, at once')
await sleep(5000)
report('overwritten twice, five seconds later')
const { ok, leakedWords } = store.verify()
console.log(`verify: ok ${ok}, leaked words ${leakedWords}`)
store.close()
