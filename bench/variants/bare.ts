/** Download both bodies and look at nothing. */
import { createDownload, postBlock } from "./download.ts";
import { followNewHeads } from "./new-heads.ts";
import type { OpenVariantWith } from "./variant.ts";

export const openBare: OpenVariantWith = ({ httpUrl, wsUrl }) => {
  const download = createDownload(httpUrl);
  return {
    async read(block) {
      await postBlock(download, block);
      return 0;
    },
    onHead: (tell, signal) => followNewHeads(wsUrl, tell, signal),
    close: download.close,
  };
};
