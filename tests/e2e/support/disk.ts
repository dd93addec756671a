// A disk of a test's own, small enough to fill and free to be sealed: a memory file system in a mount name space, which
// root may make and, where the kernel lets users have name spaces, anybody.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

const REFUSED =
  'This test mounts a small disk in name spaces of its own, and `unshare --map-root-user --mount` is refused here. ' +
  'Run the tests as root, or allow unprivileged user name spaces (sysctl kernel.unprivileged_userns_clone=1, ' +
  'kernel.apparmor_restrict_unprivileged_userns=0; in a container: --cap-add SYS_ADMIN).';

export class Disk {
  private constructor(
    private readonly folder: string,
    /** Keeps the name spaces, whatever else ends. */
    private readonly holder: ChildProcess,
  ) {}

  /** Mounts one on a folder. Only those see it that run inside. */
  static async mount(folder: string, megabytes: number): Promise<Disk> {
    mkdirSync(folder, { recursive: true });
    const script = 'mount -t tmpfs -o "size=$2m" tmpfs "$1" && echo ready && exec cat';
    const holder = spawn(
      'unshare',
      ['--map-root-user', '--mount', 'sh', '-c', script, 'sh', folder, String(megabytes)],
      // It ends with this process, whose end closes what it reads.
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    await new Promise<void>((ready, failed) => {
      let said = '';
      const refused = () => failed(new Error(`${REFUSED}\n${said}`));
      holder.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
      holder.stdout.once('data', () => ready());
      holder.on('error', refused);
      holder.on('exit', refused);
    });
    return new Disk(folder, holder);
  }

  /** The command line that runs a program inside. */
  around(program: string, args: string[], cwd: string): [string, string[]] {
    const enter = ['--target', String(this.holder.pid), '--user', '--mount', '--preserve-credentials', '--'];
    // A working folder from outside would lead out again; so it is entered by its name.
    return ['nsenter', [...enter, 'sh', '-c', 'cd "$1" && shift && exec "$@"', 'sh', cwd, program, ...args]];
  }

  private run(script: string): void {
    const [program, args] = this.around('sh', ['-ec', script, 'sh', this.folder], '/');
    execFileSync(program, args, { stdio: 'pipe' });
  }

  /** Where this process finds a file of the disk. */
  path(...names: string[]): string {
    return join(`/proc/${this.holder.pid}/root`, this.folder, ...names);
  }

  /** Leaves not a byte. */
  fill(): void {
    // In small pieces too, because a piece that does not fit is not written at all.
    this.run('mkdir -p "$1/.ballast"; for size in 65536 4096; do dd if=/dev/zero bs=$size of="$1/.ballast/$size" || true; done');
  }

  /** Makes room again. */
  empty(): void {
    this.run('rm -r "$1/.ballast"');
  }

  /** Makes it read-only for all that is opened from now on. */
  seal(): void {
    this.run('mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"');
  }

  unseal(): void {
    // What was opened meanwhile keeps it until it is closed.
    this.run('umount --lazy "$1"');
  }

  remove(): void {
    this.holder.removeAllListeners();
    this.holder.kill('SIGKILL');
  }
}
