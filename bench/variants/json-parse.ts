/** Download both bodies and JSON.parse them. Nothing is looked at: the floor of any client that builds objects. */
import { createDownload, postBlock } from "./download.ts";
import { followNewHeads } from "./new-heads.ts";
import type { OpenVariantWith } from "./variant.ts";

export const openJsonParse: OpenVariantWith = ({ httpUrl, wsUrl }) => {
  const download = createDownload(httpUrl);
  return {
    async read(block) {
      const bodies = await postBlock(download, block);
      // latin1: a node's JSON is ASCII, and this skips the UTF-8 decoder.
      for (const body of bodies) JSON.parse(body.toString("latin1"));
      return 0;
    },
    onHead: (tell, signal) => followNewHeads(wsUrl, tell, signal),
    close: download.close,
  };
};
