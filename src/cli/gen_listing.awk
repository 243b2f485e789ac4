# gen/filter.pfc -> gen/filter_listing.inc: its lines as the parts of one string
{
    gsub(/\\/, "\\\\")
    gsub(/"/, "\\\"")
    printf "\"%s\\n\"\n", $0
}
