/** Takes the lock of a directory, says what came of it, and stays. Arguments: directory, means (or nothing). */
import { DirectoryLock, type LockMeans } from '../../../src/lsm/directory-lock.ts'
import { HeddleError } from '../../../src/memory/error.ts'

const [directory = '', means] = process.argv.slice(2)
try {
  const lock = means === undefined ? DirectoryLock.take(directory) : DirectoryLock.take(directory, means as LockMeans)
  console.log('held')
  process.stdin.on('data', () => {
    lock.release()
    console.log('released')
  })
  setInterval(() => {}, 1000)
} catch (error) {
  console.log(error instanceof HeddleError ? error.code : String(error))
}
