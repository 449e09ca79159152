/** A thread that copies a store which is open: see src/lsm/online-backup.ts. It tells how far it is, then how it ended. */
import { parentPort, threadId, workerData } from 'node:worker_threads'
import { FileDisk } from '../src/lsm/file-disk.ts'
import { linkFile, openForWriting } from '../src/lsm/offline.ts'
import { backupOnline } from '../src/lsm/online-backup.ts'
import type { HeddleError } from '../src/memory/error.ts'
import { viewArena } from '../src/memory/arena.ts'
import type { BackupOrder, BackupNews } from '../src/store/backing-up.ts'
import { Engine } from '../src/store/engine.ts'

const { store, directory, target, link } = workerData as BackupOrder
const tell = (news: BackupNews): void => parentPort!.postMessage(news)
const TELL_MS = 100

function run(): BackupNews {
  const disk = new FileDisk(directory)
  const engine = new Engine(viewArena(store.buffer), threadId, disk)
  try {
    const to = openForWriting(target)
    let told = performance.now()
    try {
      const report = backupOnline(engine.tier!, disk, to.disk, {
        ...(link ? { link: (name: string) => linkFile({ disk, directory, close: () => {} }, to, name) } : {}),
        onProgress: (bytes) => {
          if (performance.now() - told < TELL_MS) return
          told = performance.now()
          tell({ bytes })
        },
      })
      return { report }
    } finally {
      to.close()
    }
  } finally {
    engine.detach()
  }
}

try {
  tell(run())
} catch (error) {
  const { code = 'HEDDLE_INTERNAL', message } = error as HeddleError
  tell({ code, message })
}
