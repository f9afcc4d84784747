"""From any id to the chain the money took, read from the published marts only, with every sum proved."""
