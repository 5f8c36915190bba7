import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const DISK_BYTES = 4 * 1_048_576
const FILLER = 'filler'

/** A folder whose disk can be filled, for one process. */
export interface SmallDisk extends Disposable {
  /** Until `free`, nothing of more than `leftBytes` is taken. */
  fill(leftBytes: number): void
  free(): void
}

/**
 * A real disk of 4 MiB; where this user may not mount one, a limit of the system on every file that the process writes.
 * @param folder made here, before the process starts
 * @param pid of that process, once it runs
 */
export function smallDisk(folder: string, pid: () => number | undefined): SmallDisk {
  mkdirSync(folder, { recursive: true })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'none', folder], { stdio: 'ignore' })
  } catch {
    process.stderr.write('no disk may be mounted here: writes are refused by a limit on the size of files\n')
    return limitedFiles(pid)
  }
  const filler = join(folder, FILLER)
  return {
    fill(leftBytes) {
      const { bavail, bsize } = statfsSync(folder)
      writeFileSync(filler, Buffer.alloc(bavail * bsize - leftBytes))
    },
    free: () => rmSync(filler),
    [Symbol.dispose]: () => void execFileSync('umount', ['-l', folder]),
  }
}

function limitedFiles(pid: () => number | undefined): SmallDisk {
  // The soft limit alone: the hard one could not be raised again.
  const limit = (bytes: number | string): void =>
    void execFileSync('prlimit', ['--pid', String(pid()), `--fsize=${bytes}:`])
  return { fill: limit, free: () => limit('unlimited'), [Symbol.dispose]: () => undefined }
}
