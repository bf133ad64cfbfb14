import { useQuery } from "@tanstack/react-query";
import { Upload } from "lucide-react";
import { useState } from "react";
import { ProblemNotice } from "@/components/problem-notice";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Waiting } from "@/components/waiting";
import type { Slot } from "@/lib/api-types";
import { texts } from "@/lib/texts";
import { versionsQuery } from "./api";
import { UploadDialog } from "./upload-dialog";
import { VersionRow } from "./version-row";

/** The versions that a slot knows, newest first, with what can be done with each. */
export function VersionList({ slot }: { slot: Slot }) {
  const versions = useQuery(versionsQuery(slot));
  const [uploading, setUploading] = useState(false);
  const list = versions.data?.versions ?? [];
  return (
    <Card aria-labelledby="versions-title" className="space-y-3">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <h2 id="versions-title" className="text-base font-semibold">
          {texts.plugins.versions.title}
        </h2>
        <Button variant="outline" onClick={() => setUploading(true)}>
          <Upload aria-hidden /> {texts.plugins.versions.upload}
        </Button>
      </div>
      {versions.isPending && <Waiting text={texts.app.loading} />}
      {versions.isError && list.length === 0 && (
        <ProblemNotice error={versions.error} onRetry={() => void versions.refetch()} />
      )}
      {versions.isSuccess && list.length === 0 && (
        <p className="text-sm text-muted">{texts.plugins.versions.empty}</p>
      )}
      {list.length > 0 && (
        <ul className="divide-y divide-border">
          {list.map((version) => (
            <VersionRow key={version.digest} slot={slot} version={version} />
          ))}
        </ul>
      )}
      {uploading && <UploadDialog slot={slot} onClose={() => setUploading(false)} />}
    </Card>
  );
}
