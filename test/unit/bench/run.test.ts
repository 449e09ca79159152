import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Competitor, PLAIN_TASK, variationOf } from '../../../bench/field.ts'
import { parseOptions } from '../../../bench/options.ts'
import { Progress } from '../../../bench/progress.ts'
import type { Report } from '../../../bench/report.ts'
import { measureWorkload } from '../../../bench/rounds.ts'
import { findWorkload } from '../../../bench/workloads/catalog.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'heddle-test-bench-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function run(
  command: string,
  args: readonly string[],
): Promise<{ code: number; output: string; errors: string }> {
  const child = spawn(command, args, { cwd: ROOT })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number]
  return { code, output, errors }
}

const bench = (...args: string[]) => run(process.execPath, ['--import', 'tsx', 'bench/run.ts', ...args])

beforeAll(async () => {
  if (existsSync(join(ROOT, 'dist/src/index.js'))) return
  expect((await run('npm', ['run', '--silent', 'build'])).code).toBe(0)
})

test('from the options to the figures: heddle, a Map and lmdb in their processes', async () => {
  const json = join(directory, 'out/report.json')
  const files = mkdtempSync(join(directory, 'files-'))
  const options = ['--records', '2000', '--seconds', '2', '--rounds', '2', '--workers', '1,2']
  const engines = ['--engines', 'heddle,map,lmdb', '--workloads', 'load,get,churn,ycsb-e']
  const places = ['--json', json, '--directory', files, '--no-memory']
  const { code, output, errors } = await bench(...options, ...engines, ...places)
  expect([code, errors.includes('gave up')], errors).toEqual([0, false])
  for (const title of ['### load', '### get', '### churn', '### ycsb-e', '### Scaling']) {
    expect(output).toContain(title)
  }
  // Whatever the engines put there is gone.
  expect(readdirSync(files)).toEqual([])

  const report = JSON.parse(readFileSync(json, 'utf8')) as Report
  expect(report.machine.node).toBe(process.versions.node)
  expect(Object.keys(report.machine.packages).sort()).toEqual(['heddle', 'lmdb'])
  expect(report.options).toMatchObject({ records: 2000, rounds: 2, keys: 'string', valueBytes: 100 })
  expect(report.rows).toHaveLength(4 * 2 * 3)
  for (const row of report.rows) {
    const cannot = row.engine === 'map' && (row.workers > 1 || row.workload === 'ycsb-e')
    if (cannot) {
      expect(row).toMatchObject({ rounds: [], median: null, spread: null, ratio: null, latencyNs: null })
      expect(row.missing).toMatch(/no such operation|one thread only/)
      continue
    }
    expect(row.rounds).toHaveLength(2)
    expect(row.rounds.every((rate) => rate > 0)).toBe(true)
    expect(row.median).toBeGreaterThan(0)
    expect(row.cpuSecondsPerMillion).toBeGreaterThan(0)
    expect(row.ratio === null).toBe(row.engine === 'heddle')
    expect(row.latencyNs === null).toBe(row.workload === 'load')
    if (row.latencyNs !== null) {
      const { p50, p99, p999, max } = row.latencyNs
      expect([p50, p99, p999, max]).toEqual([p50, p99, p999, max].sort((a, b) => a - b))
    }
  }
  expect(report.footprints).toEqual([])
})

test('bytes for each record, before and after overwriting', async () => {
  const json = join(directory, 'memory.json')
  // So many that what the process itself grows or shrinks by, some megabytes, does not decide.
  const few = ['--records', '150000', '--seconds', '1', '--rounds', '1', '--workers', '1', '--workloads', 'get']
  const { code, output, errors } = await bench(...few, '--engines', 'heddle', '--json', json)
  expect(code, errors).toBe(0)
  expect(output).toContain('### Bytes for each record')
  const { footprints } = JSON.parse(readFileSync(json, 'utf8')) as Report
  expect(footprints.map((one) => one.when)).toEqual(['after load', 'after overwriting'])
  for (const one of footprints) expect(one.bytesPerRecord).toBeGreaterThan(116)
})

test('what makes no sense is refused with code 2', async () => {
  const { code, errors } = await bench('--engines', 'heddle,unheard-of')
  expect(code).toBe(2)
  expect(errors).toContain('there is no engine unheard-of')
})

test('options are checked and filled in', () => {
  expect(parseOptions(['--help'])).toBeNull()
  expect(parseOptions([])).toMatchObject({ records: 1_000_000, workers: [1, 2], keyOrder: 'used', memory: true })
  expect(parseOptions(['--full'])).toMatchObject({ workers: [1, 2, 4, 8, 16], full: true })
  const { engines, crossedEngines } = parseOptions(['--full'])!
  expect(engines).toContain('lmdb-sync')
  expect(crossedEngines).toEqual(parseOptions([])!.engines)
  const named = ['lmdb-sync', 'heddle']
  expect(parseOptions(['--full', '--engines', named.join()])!.crossedEngines).toEqual(named)
  expect(parseOptions(['--workers', '4,1,4'])).toMatchObject({ workers: [1, 4] })
  for (const wrong of [
    '--records=0.5',
    '--keys=roman',
    '--key-order=any',
    '--workloads=sleep',
    '--rounds=0',
    '--wrong',
  ]) {
    expect(() => parseOptions([wrong])).toThrow()
  }
})

test('what all engines and their threads together could not hold in memory are fewer records', () => {
  const few = parseOptions(['--engines', 'heddle,map'])!
  expect(variationOf(few, 'string', 100, 2 ** 34).records).toBe(1_000_000)
  expect(variationOf(few, 'string', 2 ** 16, 2 ** 35).records).toBe(2 ** 14)
  const all = parseOptions(['--full', '--workers', '2'])!
  const { records } = variationOf(all, 'string', 2 ** 16, 2 ** 34)
  expect(records * 2 ** 16 * all.engines.length).toBeLessThanOrEqual(2 ** 32)
  expect(records).toBeGreaterThan(100)
  // A thread is memory, too.
  const crowded = variationOf({ ...all, workers: [2, 16] }, 'string', 2 ** 16, 2 ** 34).records
  expect(crowded).toBeLessThan(records)
  expect(crowded).toBeGreaterThan(100)
  expect(variationOf(all, 'string', 2 ** 26, 2 ** 34).records).toBe(100)
})

test('no more is inserted than there is room for, however often it is measured', async () => {
  const options = { ...parseOptions(['--directory', directory])!, workers: [1] }
  const competitor = new Competitor(options, 'lmdb', { keys: 'string', valueBytes: 10, records: 100 })
  try {
    await competitor.start()
    for (let time = 0; time < 2; time++) {
      const pace = { rounds: 1, roundMs: 20 }
      const [row] = await measureWorkload([competitor], findWorkload('ycsb-d'), 1, pace, new Progress(1))
      expect(row.rounds).toHaveLength(1)
      const all = { ...PLAIN_TASK, workload: 'scan-all', count: 1, sliceSteps: 1 }
      const { entries } = await competitor.process.run(all)
      expect(entries).toBeGreaterThan(100)
      expect(entries).toBeLessThanOrEqual(100 + competitor.room)
    }
  } finally {
    await competitor.end()
  }
})

test('an engine whose process has ended is started anew for the next workload', async () => {
  const options = { ...parseOptions(['--directory', directory])!, workers: [1] }
  const competitor = new Competitor(options, 'map', { keys: 'string', valueBytes: 10, records: 100 })
  try {
    await competitor.start()
    const pace = { rounds: 1, roundMs: 20 }
    for (const name of ['get', 'overwrite', 'get']) {
      const [row] = await measureWorkload([competitor], findWorkload(name), 1, pace, new Progress(1))
      expect([row.missing, row.rounds.length]).toEqual([undefined, 1])
      competitor.process.kill()
    }
  } finally {
    await competitor.end()
  }
})
