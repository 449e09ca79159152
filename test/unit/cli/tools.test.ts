/** The commands on a store's directory, as processes: what they print, what they refuse, what they leave. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DirectoryLock } from '../../../src/lsm/directory-lock.ts'
import { FileDisk, openDirectory } from '../../../src/lsm/file-disk.ts'
import { contentsOf, fillStore, MadeStore, sortedEntries } from '../../support/made-store.ts'
import { heddle, project } from './run-cli.ts'

let root: string
let dir: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'heddle-tools-'))
  dir = join(root, 'store')
})

afterEach(() => {
  rmSync(root, { recursive: true })
})

function makeStore(): MadeStore {
  const store = new MadeStore(new FileDisk(openDirectory(dir)))
  fillStore(store)
  store.close()
  return store
}

const contents = (path: string): [string, string][] => [...contentsOf(new FileDisk(openDirectory(path)))]

/** Every file with its bytes and its times. */
function snapshotOf(path: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of readdirSync(path)) {
    const { mtimeMs, size } = statSync(join(path, name))
    found[name] = `${mtimeMs} ${size} ${readFileSync(join(path, name)).toString('base64')}`
  }
  return found
}

const lines = (text: string): unknown[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)

/** Runs a command with something on stdin. */
function fed(args: readonly string[], input: string): Promise<{ code: number; err: string; out: string }> {
  return new Promise((resolve) => {
    const main = join(project, 'src/cli/main.ts')
    const argv = ['--import', 'tsx', main, ...args]
    const child = execFile(process.execPath, argv, { cwd: project, timeout: 60_000 }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
    child.stdin!.end(input)
  })
}

test('reading commands print what is there and change nothing', async () => {
  const store = makeStore()
  const before = snapshotOf(dir)
  const [stat, json, verify, report, dump] = await Promise.all([
    heddle(['stat', dir, '--tables']),
    heddle(['stat', dir, '--json']),
    heddle(['verify', dir]),
    heddle(['verify', dir, '--json']),
    heddle(['dump', dir]),
  ])
  for (const { code, err } of [stat, json, verify, report, dump]) expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(stat.out).toContain('generation')
  expect(stat.out).toContain('0x5eed1234')
  expect(stat.out).toMatch(/ {2}level 2 {2}1 table, 40 entries \(0 deletes\), .* "key000" to "key039"/)
  expect(stat.out).toMatch(/ {2}in all {3}\d tables, \d+ entries \(\d+ deletes\), /)
  expect(stat.out).toMatch(/000004\.table/)
  expect(stat.out).toContain('logs: 2 files, 4 records that no table has: 4 put, 2 deleted')
  const figures = JSON.parse(json.out)
  expect(figures).toMatchObject({ generation: 0x5eed1234, records: 4, endLsn: store.lsn })
  expect(figures.levels[0].greatest).toEqual({ base64: '/wCA' })
  expect(figures.manifest.settings).toBe('{"values":"utf8"}')
  expect(verify.out).toMatch(/^verify: 1 manifest, 4 tables with \d+ blocks and 68 entries, .*: nothing is wrong\n$/)
  expect(JSON.parse(report.out)).toMatchObject({ wrong: [], notes: [], counts: { tables: 4, changes: 6 } })
  expect(dump.out.trim().split('\n')).toHaveLength(store.model.size)
  expect(lines(dump.out)[0]).toEqual({ key: 'key000', value: 'top 0' })
  expect(lines(dump.out).at(-1)).toEqual({ key: { base64: '/wCA' }, value: { base64: '/g==' } })
  expect(snapshotOf(dir)).toEqual(before)
})

test('a lock file of an orderly closed store is left as it is', async () => {
  makeStore()
  DirectoryLock.take(dir).release()
  const before = snapshotOf(dir)
  expect((await heddle(['verify', dir])).code).toBe(0)
  expect(snapshotOf(dir)).toEqual(before)
})

test('a part of a dump, into a file', async () => {
  const store = makeStore()
  const out = join(root, 'part.jsonl')
  const part = await heddle(['dump', dir, '--from', 'key007', '--to', 'key020', '--limit', '5', '--out', out])
  expect(part).toEqual({ code: 0, out: '', err: '' })
  const expected = sortedEntries(store.model).filter(([key]) => key >= 'key007' && key < 'key020')
  expect(lines(readFileSync(out, 'utf8'))).toEqual(expected.slice(0, 5).map(([key, value]) => ({ key, value })))
  const again = await heddle(['dump', dir, '--out', out])
  expect(again.code).toBe(2)
  expect(again.err).toMatch(/^heddle dump: cannot write '.*': EEXIST/)
  const last = await heddle(['dump', dir, '--from-base64', Buffer.from('zz\0').toString('base64')])
  expect(lines(last.out)).toEqual([{ key: { base64: '/wCA' }, value: { base64: '/g==' } }])
  const none = await heddle(['dump', dir, '--from', 'a', '--to-base64', Buffer.from('b').toString('base64')])
  expect(none).toEqual({ code: 0, out: '', err: '' })
})

test('a dump whose reader leaves ends quietly', async () => {
  const store = new MadeStore(new FileDisk(openDirectory(dir)))
  for (let i = 0; i < 400; i++) store.set(`key${i}`, 'x'.repeat(2000))
  store.close()
  const { code, err } = await new Promise<{ code: unknown; err: string }>((resolve) => {
    const command = `"${process.execPath}" --import tsx src/cli/main.ts dump "${dir}" | head -c 100; exit \${PIPESTATUS[0]}`
    execFile('/bin/bash', ['-c', command], { cwd: project }, (error, _out, text) =>
      resolve({ code: error === null ? 0 : error.code, err: text }),
    )
  })
  expect({ code, err }).toEqual({ code: 0, err: '' })
})

test('dump, load, dump: the same, from a file, from stdin, sorted or not, compressed', async () => {
  makeStore()
  const { out: first } = await heddle(['dump', dir])
  const file = join(root, 'all.jsonl')
  writeFileSync(file, first.trim())
  const reversed = `${first.trim().split('\n').reverse().join('\r\n')}\n\n`
  const [one, two, three] = ['one', 'two', 'three'].map((name) => join(root, name))
  const binary = ['--keys', 'binary', '--values', 'binary']
  const loads = await Promise.all([
    heddle(['load', one!, file, ...binary]),
    fed(['load', two!, ...binary], reversed),
    fed(
      ['load', three!, '-', ...binary, '--compression', 'deflate', '--table-bytes', '2k', '--memory', '1k'],
      reversed,
    ),
  ])
  for (const { code, err } of loads) expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(loads[0].out).toMatch(/^load: 37 lines, 0 replaced, 1 table, .* lines\/s\n$/)
  expect(loads[1].out).toMatch(/^load: 37 lines, sorted, 0 replaced, 1 table/)
  for (const path of [one!, two!, three!]) {
    // One after the other: each wants the directory for itself.
    const dump = await heddle(['dump', path])
    const verify = await heddle(['verify', path])
    expect(dump.out).toBe(first)
    expect(verify.code).toBe(0)
    expect(statSync(path).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(path)) expect(statSync(join(path, name)).mode & 0o777).toBe(0o600)
  }
})

test('load into a store', async () => {
  const store = makeStore()
  const entry = '{"key":"key004","value":"back"}\n'
  const refused = await fed(['load', dir], entry)
  expect(refused.code).toBe(2)
  expect(refused.err).toMatch(/^heddle load: there is a store in '.*' that holds something: give --into to add to it/)
  const loaded = await fed(['load', dir, '--into'], entry)
  expect(loaded.code).toBe(0)
  store.model.set('key004', 'back')
  expect(contents(dir)).toEqual(sortedEntries(store.model))
})

describe('lines that are no entries', () => {
  test.each([
    ['{"key":"a"', `line 2: expected {"key":...,"value":...}, not '{"key":"a"'`],
    ['[1]', `line 2: expected {"key":...,"value":...}, not '[1]'`],
    ['{"key":1,"value":"b"}', 'line 2: the key must be a string or {"base64":"..."}'],
    ['{"key":"a"}', 'line 2: the value must be a string or {"base64":"..."}'],
    ['{"key":"a","value":"b","ttl":1}', "line 2: 'ttl' is neither key nor value"],
    ['{"key":"a","value":{"base64":"b"}}', 'line 2: the value is no base64'],
    ['{"key":"\\ud800","value":"b"}', 'line 2: the key has a lone surrogate'],
    ['{"key":{"base64":"/w=="},"value":"b"}', 'line 2: the key is not UTF-8: say --keys binary'],
    ['{"key":"a","value":{"base64":"/w=="}}', 'line 2: the value is not UTF-8: say --values binary'],
    [`{"key":"${'k'.repeat(1025)}","value":"b"}`, 'line 2: the key takes 1025 bytes, the most is 1024'],
  ])('%#', async (line, message) => {
    const { code, err } = await fed(['load', dir], `{"key":"good","value":""}\n${line}\n`)
    expect(err).toContain(`heddle load: stdin, ${message}`)
    expect(code).toBe(2)
    expect(contents(dir)).toEqual([])
  })
})

test('compact', async () => {
  const store = makeStore()
  const { code, out, err } = await heddle(['compact', dir, '--table-bytes', '1k'])
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toMatch(/^compact: \d+ entries read, 37 kept in 1 table, .* became .*\n$/)
  expect(contents(dir)).toEqual(sortedEntries(store.model))
  expect((await heddle(['verify', dir])).code).toBe(0)
})

test('backup, copied and linked', async () => {
  const store = makeStore()
  const before = snapshotOf(dir)
  const [copied, linked] = [join(root, 'copied'), join(root, 'linked')]
  const runs = await Promise.all([heddle(['backup', dir, copied]), heddle(['backup', dir, linked, '--link'])])
  for (const { code, err } of runs) expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(runs[0].out).toMatch(/^backup: 4 tables, 2 logs, .* copied to /)
  expect(runs[1].out).toContain(' linked to ')
  const inode = (path: string): number => statSync(join(path, '000004.table')).ino
  expect(inode(linked)).toBe(inode(dir))
  expect(inode(copied)).not.toBe(inode(dir))
  for (const path of [copied, linked]) {
    expect(contents(path)).toEqual(sortedEntries(store.model))
    expect((await heddle(['verify', path])).code).toBe(0)
  }
  expect((await heddle(['backup', dir, copied])).err).toContain('name an empty directory')
  for (const [name, bytes] of Object.entries(before)) expect(snapshotOf(dir)[name]).toBe(bytes)
})

test('verify names what is wrong and where, and the others say that they met it', async () => {
  makeStore()
  const path = join(dir, '000004.table')
  const bytes = readFileSync(path)
  bytes[300]! ^= 1
  writeFileSync(path, bytes)
  writeFileSync(join(dir, '000900.temp'), 'x')
  const verify = await heddle(['verify', dir])
  expect(verify.code).toBe(1)
  expect(verify.out).toMatch(
    /^000004\.table offset \d+: the checksum of a block does not match\nverify: .*: 1 finding\n$/,
  )
  expect(verify.err).toBe('note: 000900.temp offset 0: nobody needs it: the next start removes it\n')
  const [dump, compact] = await Promise.all([heddle(['dump', dir]), heddle(['backup', dir, join(root, 'copy')])])
  expect(dump.code).toBe(1)
  expect(dump.err).toMatch(/^heddle dump: 000004\.table is corrupt at offset \d+: .*; 'heddle verify' tells more\n$/)
  // What is copied is not read as blocks; that is what verify is for.
  expect(compact.code).toBe(0)
})

test('a store that is open elsewhere is refused, and not touched', async () => {
  makeStore()
  const lock = DirectoryLock.take(dir)
  const before = snapshotOf(dir)
  const target = join(root, 'target')
  const runs = await Promise.all([
    ...['stat', 'verify', 'dump', 'compact'].map((name) => heddle([name, dir])),
    heddle(['backup', dir, target]),
    fed(['load', dir, '--into'], '{"key":"a","value":"b"}\n'),
  ])
  for (const { code, err } of runs) {
    expect(code).toBe(1)
    expect(err).toMatch(/^heddle \w+: .* is in use by another process or thread; .*\n$/)
  }
  expect(snapshotOf(dir)).toEqual(before)
  expect(existsSync(target)).toBe(false)
  lock.release()
})

test('no directory, no store, wrong options: one line, exit code 2', async () => {
  mkdirSync(dir)
  const nowhere = join(root, 'nowhere')
  const complaints = await Promise.all(
    [
      ['stat', nowhere],
      ['verify', dir],
      ['dump', dir],
      ['compact', dir],
      ['backup', dir, join(root, 'x')],
      ['stat'],
      ['stat', dir, 'other'],
      ['backup', dir],
      ['dump', dir, '--from', 'a', '--from-base64', 'YQ=='],
      ['dump', dir, '--to-base64', '?'],
      ['compact', dir, '--compression', 'zip'],
      ['load', dir, nowhere],
      ['load', dir, '--keys', 'json'],
    ].map((args) => heddle(args)),
  )
  expect(complaints.map(({ err }) => err.replaceAll(root, '').split(' (see')[0])).toEqual([
    "heddle stat: there is no directory '/nowhere'",
    "heddle verify: there is no store in '/store'",
    "heddle dump: there is no store in '/store'",
    "heddle compact: there is no store in '/store'",
    "heddle backup: there is no store in '/store'",
    "heddle stat: name the store's directory",
    "heddle stat: unexpected argument 'other'",
    'heddle backup: name the directory to copy to',
    'heddle dump: give --from or --from-base64, not both',
    "heddle dump: --to-base64 must be base64, not '?'",
    "heddle compact: --compression must be none, deflate or brotli, not 'zip'",
    expect.stringMatching(/^heddle load: cannot read '\/nowhere': ENOENT/),
    "heddle load: --keys must be one of utf8, binary, number, custom, not 'json'",
  ])
  for (const { code, out } of complaints) expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(readdirSync(dir)).toEqual([])
})

test('help texts name every option', async () => {
  const options = {
    stat: ['--tables', '--json'],
    verify: ['--json'],
    dump: ['--out', '--from', '--to', '--from-base64', '--to-base64', '--limit'],
    load: ['--keys', '--values', '--into', '--memory', '--compression', '--table-bytes'],
    compact: ['--compression', '--table-bytes'],
    backup: ['--link'],
  }
  const all = (await heddle(['--help'])).out
  for (const [name, names] of Object.entries(options)) {
    expect(all).toContain(`heddle ${name} <dir>`)
    const { code, out, err } = await heddle([name, '--help'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    for (const option of [...names, '--help']) expect(out).toContain(option)
  }
})
