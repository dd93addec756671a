// PNG files as other programs write them, or as nobody should.
import { crc32, deflateSync } from 'node:zlib';

export function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}

/** A picture of one grey, with further chunks before its pixels. */
export function png(chunks: Buffer[] = [], size = 256): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header[8] = 8; // bits, and no colour
  const pixels = deflateSync(Buffer.alloc((size + 1) * size, 0));
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    ...chunks,
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A PNG that says how it was made as A1111 does. */
export function withInfotext(text: string): Buffer {
  return png([chunk('tEXt', Buffer.from(`parameters\0${text}`, 'latin1'))]);
}
