/**
 * heddle against lmdb (noSync), built JavaScript, in one run: a million records of a 16-byte key and a 100-byte value,
 * loaded in random order; random reads, overwrites, half and half, scans of 50; one and two threads. Rounds of the two
 * engines take turns; medians and the median of the paired ratios are printed.
 *
 *   npm run bench:lmdb -- [--rounds 7] [--count 30000]
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Worker } from 'node:worker_threads'
import { open as openLmdb } from 'lmdb'
import { open } from '../dist/src/index.js'
import { type Engine, OPERATIONS, type Operation, RECORDS, keyOf, value } from './load.ts'

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, count: { type: 'string', default: '30000' } },
})
const rounds = Number(options.rounds)
const count = Number(options.count)

const directory = mkdtempSync(join(tmpdir(), 'heddle-bench-'))
const path = join(directory, 'data.mdb')
const heddle = open({ memory: 2 ** 29, values: 'binary' })
const lmdb = openLmdb<Buffer, string>({ path, noSync: true, encoding: 'binary', mapSize: 2 ** 31 })

function load(): void {
  let begin = process.hrtime.bigint()
  for (let i = 0; i < RECORDS; i++) heddle.set(keyOf(i), value)
  const ours = Number(process.hrtime.bigint() - begin) / RECORDS
  begin = process.hrtime.bigint()
  lmdb.transactionSync(() => {
    for (let i = 0; i < RECORDS; i++) lmdb.putSync(keyOf(i), value)
  })
  const theirs = Number(process.hrtime.bigint() - begin) / RECORDS
  console.log(`load, ns per insert: heddle ${ours.toFixed(0)}, lmdb in one transaction ${theirs.toFixed(0)}`)
}

async function startWorkers(threads: number): Promise<Worker[]> {
  const workers: Worker[] = []
  for (let i = 0; i < threads; i++) {
    const worker = heddle.spawn(new URL('./lmdb-worker.ts', import.meta.url), {
      workerData: { path },
      execArgv: ['--import', new URL('../test/support/register-tsx.mjs', import.meta.url).href],
    })
    await once(worker, 'message')
    workers.push(worker)
  }
  return workers
}

async function measure(workers: Worker[], engine: Engine, operation: Operation, seed: number): Promise<number> {
  const startAt = Date.now() + 150
  const size = operation === 'scan' ? Math.ceil(count / 20) : count
  const answers = workers.map((worker, i) => {
    worker.postMessage({ engine, operation, count: size, seed: seed + i * 77, startAt })
    return once(worker, 'message') as Promise<[number]>
  })
  // Threads work at the same time: operations per second add up.
  let perSecond = 0
  for (const [ns] of await Promise.all(answers)) perSecond += 1e9 / ns
  return perSecond
}

function median(numbers: number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[sorted.length >> 1]
}

load()
console.log('| threads | operation | heddle M/s | lmdb M/s | ratio (paired) |')
console.log('| --- | --- | --- | --- | --- |')
let behind = 0
for (const threads of [1, 2]) {
  const workers = await startWorkers(threads)
  for (const operation of OPERATIONS) {
    const ours: number[] = []
    const theirs: number[] = []
    for (let round = -1; round < rounds; round++) {
      const seed = (round + 2) * 7919
      const a = await measure(workers, 'heddle', operation, seed)
      const b = await measure(workers, 'lmdb', operation, seed)
      if (round < 0) continue
      ours.push(a)
      theirs.push(b)
    }
    const ratio = median(ours.map((a, i) => a / theirs[i]))
    if (ratio < 1) behind++
    const row = [
      threads,
      operation,
      (median(ours) / 1e6).toFixed(2),
      (median(theirs) / 1e6).toFixed(2),
      ratio.toFixed(2),
    ]
    console.log(`| ${row.join(' | ')} |`)
  }
  for (const worker of workers) await worker.terminate()
}
console.log(behind === 0 ? 'ahead of lmdb everywhere' : `behind lmdb in ${behind} of ${2 * OPERATIONS.length}`)
const { utilisation, bytesLive, segmentsInUse, segmentWords } = heddle.stats()
console.log(
  `bytes per record: ${(bytesLive / RECORDS).toFixed(1)} live, ${((segmentsInUse * segmentWords * 4) / RECORDS).toFixed(1)} in segments; utilisation ${utilisation.toFixed(2)}`,
)
heddle.close()
await lmdb.close()
rmSync(directory, { recursive: true, force: true })
