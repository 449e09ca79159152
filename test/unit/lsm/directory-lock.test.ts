import { type ChildProcess, spawn } from 'node:child_process'
import { lstatSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DirectoryLock, type LockMeans } from '../../../src/lsm/directory-lock.ts'

const PROGRAM = fileURLToPath(new URL('../../support/programs/hold-lock.ts', import.meta.url))
const LOADER = new URL('../../support/register-tsx.mjs', import.meta.url).href
const LINUX = process.platform === 'linux'
const MEANS: LockMeans[] = LINUX ? ['flock', 'socket'] : ['open']

let root: string
const children: ChildProcess[] = []

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'heddle-lock-'))
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(root, { recursive: true })
})

interface Holder {
  readonly child: ChildProcess
  readonly said: string
}

async function start(means: LockMeans): Promise<Holder> {
  const child = spawn(process.execPath, ['--import', LOADER, PROGRAM, root, means], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  children.push(child)
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, said: said.toString().trim() }
}

describe.each(MEANS)('the lock of a directory, by %s', (means) => {
  const locked = expect.objectContaining({ code: 'HEDDLE_LOCKED' })

  it('is held by one at a time in a process, and given back', () => {
    const lock = DirectoryLock.take(root, means)
    expect(() => DirectoryLock.take(root, means)).toThrow(locked)
    lock.release()
    lock.release()
    DirectoryLock.take(root, means).release()
  })

  it('is refused to other threads of the process', async () => {
    const lock = DirectoryLock.take(root, means)
    const worker = new Worker(new URL(PROGRAM, 'file:'), {
      argv: [root, means],
      execArgv: ['--import', LOADER],
      stdout: true,
    })
    const [said] = (await once(worker.stdout, 'data')) as [Buffer]
    expect(said.toString().trim()).toBe('HEDDLE_LOCKED')
    await worker.terminate()
    lock.release()
  })

  it('goes when the thread that took it is terminated', async () => {
    const worker = new Worker(new URL(PROGRAM, 'file:'), {
      argv: [root, means],
      execArgv: ['--import', LOADER],
      stdout: true,
    })
    const [said] = (await once(worker.stdout, 'data')) as [Buffer]
    expect(said.toString().trim()).toBe('held')
    expect(() => DirectoryLock.take(root, means)).toThrow(locked)
    await worker.terminate()
    DirectoryLock.take(root, means).release()
  })

  it('is refused to other processes, and goes when its holder is killed', async () => {
    for (let round = 0; round < 3; round++) {
      const first = await start(means)
      expect(first.said).toBe('held')
      expect((await start(means)).said).toBe('HEDDLE_LOCKED')
      expect(() => DirectoryLock.take(root, means)).toThrow(locked)
      first.child.kill('SIGKILL')
      await once(first.child, 'exit')
      DirectoryLock.take(root, means).release()
    }
  })

  it('is given back by another process', async () => {
    const { child } = await start(means)
    child.stdin!.write('\n')
    await once(child.stdout!, 'data')
    DirectoryLock.take(root, means).release()
  })

  it('follows no link', () => {
    writeFileSync(join(root, 'elsewhere'), '')
    symlinkSync(join(root, 'elsewhere'), join(root, 'lock'))
    expect(() => DirectoryLock.take(root, means)).toThrow(
      expect.objectContaining({ code: 'HEDDLE_IO', errno: 'ELOOP' }),
    )
    unlinkSync(join(root, 'lock'))
  })

  it('leaves a file for its owner only, which means nothing', () => {
    DirectoryLock.take(root, means).release()
    expect(lstatSync(join(root, 'lock')).mode & 0o777).toBe(0o600)
    DirectoryLock.take(root, means).release()
  })
})
