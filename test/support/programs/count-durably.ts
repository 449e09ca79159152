/** Counts in a little store on a real disk, and says each number once it is durable. Arguments: directory, seed. */
import { writeSync } from 'node:fs'
import { DirectoryLock } from '../../../src/lsm/directory-lock.ts'
import { FileDisk, openDirectory } from '../../../src/lsm/file-disk.ts'
import { LittleStore } from '../little-store.ts'
import { random } from '../random.ts'

const [path = '', seed = '1'] = process.argv.slice(2)
const directory = openDirectory(path)
DirectoryLock.take(directory)
const rng = random(Number(seed))
const store = new LittleStore(new FileDisk(directory))
writeSync(1, `${store.last}\n`)
for (;;) {
  for (let count = rng.int(4); count >= 0; count--) store.add()
  const choice = rng.int(20)
  if (choice === 0) store.flush()
  else if (choice === 1) store.rotate()
  else if (choice < 6) store.committer.round(false)
  // The ring is small: what was only handed to the system is made durable before it is full.
  if (choice > 3 && store.commit()) writeSync(1, `${store.acknowledged}\n`)
  else if (!store.commit()) throw new Error('the log has failed')
}
