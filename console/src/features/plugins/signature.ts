import { texts } from "@/lib/texts";

const SIGNATURE_BYTES = 64;

/** A detached Ed25519 signature as its header wants it, or what is wrong with the file. */
export async function readSignature(file: Blob): Promise<{ base64: string } | { wrong: string }> {
  if (file.size !== SIGNATURE_BYTES) return { wrong: texts.plugins.upload.signatureWrong(file.size) };
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    return { base64: btoa(String.fromCharCode(...bytes)) };
  } catch {
    // It was moved or changed since it was chosen.
    return { wrong: texts.plugins.upload.unreadable };
  }
}
