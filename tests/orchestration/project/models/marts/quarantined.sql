select
    files.vendor,
    count(*) as records
from {{ source('raw', 'quarantine') }} as files
group by files.vendor
